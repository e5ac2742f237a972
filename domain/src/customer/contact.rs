//! A person's name and ways to reach them, as they are typed.

use super::CustomerError;

/// A contact as it was typed, checked and folded, before it is sealed. Never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainContact {
    /// Name without surrounding space.
    pub name: String,
    /// E-mail in lower case.
    pub email: Option<String>,
    /// Digits of the phone, with country code.
    pub phone: Option<String>,
}

impl PlainContact {
    /// Checks and folds what was typed.
    ///
    /// # Errors
    /// [`CustomerError`] names the part that cannot be used.
    pub fn check(name: &str, email: Option<&str>, phone: Option<&str>) -> Result<Self, CustomerError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 200 {
            return Err(CustomerError::BadName);
        }
        let filled = |text: &&str| !text.trim().is_empty();
        let email = email.filter(filled).map(fold_email).transpose()?;
        let phone = phone.filter(filled).map(fold_phone).transpose()?;
        if email.is_none() && phone.is_none() {
            return Err(CustomerError::NoContact);
        }
        Ok(Self {
            name: name.to_owned(),
            email,
            phone,
        })
    }
}

/// An e-mail address in the form that two spellings of it share: no surrounding space, lower case.
///
/// # Errors
/// [`CustomerError::BadEmail`] for what cannot be an address.
pub fn fold_email(text: &str) -> Result<String, CustomerError> {
    let email = text.trim().to_lowercase();
    let (name, host) = email.rsplit_once('@').ok_or(CustomerError::BadEmail)?;
    let odd = |part: &str| {
        part.is_empty()
            || part
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || c == '@')
    };
    if odd(name)
        || odd(host)
        || email.len() > 254
        || !host.contains('.')
        || host.starts_with('.')
        || host.ends_with('.')
    {
        return Err(CustomerError::BadEmail);
    }
    Ok(email)
}

/// A telephone number in the form that two spellings of it share: its digits, with the country code.
///
/// # Errors
/// [`CustomerError::BadPhone`] for what cannot be a number.
pub fn fold_phone(text: &str) -> Result<String, CustomerError> {
    if text
        .chars()
        .any(|c| !(c.is_ascii_digit() || "+-(). ".contains(c)))
    {
        return Err(CustomerError::BadPhone);
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        // A US number without its country code.
        10 => Ok(format!("1{digits}")),
        11..=15 => Ok(digits),
        _ => Err(CustomerError::BadPhone),
    }
}
