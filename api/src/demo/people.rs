//! Who books at the demo company, and where they live.

/// Given names, in no order.
const GIVEN: [&str; 40] = [
    "Amelia", "Noah", "Sofía", "Liam", "Priya", "Ethan", "Mei", "Lucas", "Aisha", "Daniel", "Chloé", "Mateo",
    "Hannah", "Omar", "Grace", "Diego", "Yuki", "Samuel", "Leila", "Jacob", "Renée", "Anthony", "Camila",
    "Ravi", "Olivia", "Kenji", "Zoë", "Marcus", "Ingrid", "Tyler", "Nadia", "Joseph", "Valeria", "Ben",
    "Thuy", "Andre", "Emily", "Farid", "Isabel", "Jordan",
];
/// Family names, in no order.
const FAMILY: [&str; 37] = [
    "Nguyen",
    "Garcia",
    "Smith",
    "Patel",
    "Kim",
    "Johnson",
    "Hernández",
    "Chen",
    "Williams",
    "Singh",
    "Brown",
    "Tanaka",
    "Lopez",
    "Miller",
    "Tran",
    "Davis",
    "Okafor",
    "Martinez",
    "Wilson",
    "Park",
    "Anderson",
    "Silva",
    "Taylor",
    "Haddad",
    "Moore",
    "Reyes",
    "Jackson",
    "Müller",
    "Lee",
    "Rossi",
    "Clark",
    "Ramirez",
    "Lewis",
    "Castillo",
    "Walker",
    "Novak",
    "Young",
];
/// Streets, in no order.
const STREETS: [&str; 23] = [
    "Garden Way",
    "Almond Avenue",
    "Willow Street",
    "Mission Boulevard",
    "Oak Grove Drive",
    "Camino Real",
    "Lakeside Court",
    "Vineyard Lane",
    "Redwood Terrace",
    "Sunset Avenue",
    "Creekside Drive",
    "Maple Street",
    "Foothill Road",
    "Cherry Blossom Lane",
    "Hillview Court",
    "Bayshore Street",
    "Orchard Avenue",
    "Poppy Lane",
    "Laurel Drive",
    "Canyon Road",
    "Magnolia Street",
    "Harbor View",
    "Cypress Avenue",
];
/// What people write with a request, in no order.
const NOTES: [&str; 8] = [
    "Two guests are vegetarian.",
    "Please call when you are at the gate.",
    "One guest is allergic to shellfish: separate tools, please.",
    "It is a surprise for her 40th birthday.",
    "The garden is behind the house, there are six steps.",
    "No sesame for the children.",
    "We have a covered patio in case of rain.",
    "Halal meat for four of us, please.",
];

/// Somebody who books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) phone: Option<String>,
    pub(super) street: String,
}

/// The n-th customer: the same for ever. Everybody has an address of their own; one in three has left a number.
pub(super) fn person(n: u32) -> Person {
    let (given, family) = (pick(&GIVEN, n), pick(&FAMILY, n));
    let word = |name: &str| -> String { name.chars().filter(char::is_ascii_alphabetic).collect() };
    Person {
        name: format!("{given} {family}"),
        email: format!("{}.{}{n}@example.com", word(given), word(family)).to_lowercase(),
        // Numbers that are set aside for stories: 555-0100 to 555-0199, of every area code.
        phone: (n.is_multiple_of(3) && n < 60_000)
            .then(|| format!("+1{}55501{:02}", 201 + n / 300, (n / 3) % 100)),
        street: format!("{} {}", 100 + (n.wrapping_mul(37)) % 4_900, pick(&STREETS, n)),
    }
}

/// What the n-th customer writes with a request, if anything.
pub(super) fn note(n: u32) -> Option<String> {
    n.is_multiple_of(4).then(|| pick(&NOTES, n / 4).to_owned())
}

fn pick<'a>(from: &[&'a str], n: u32) -> &'a str {
    let places = u32::try_from(from.len()).expect("a short list");
    let place = n.wrapping_mul(31) % places;
    from[usize::try_from(place).expect("a place in the list")]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn everybody_can_be_told_apart() {
        let people: Vec<Person> = (0..6_000).map(person).collect();
        let addresses: HashSet<&str> = people.iter().map(|person| person.email.as_str()).collect();
        assert_eq!(addresses.len(), people.len());
        let numbers: Vec<&str> = people
            .iter()
            .filter_map(|person| person.phone.as_deref())
            .collect();
        assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
        assert!(
            numbers
                .iter()
                .all(|number| number.len() == 12 && number[5..].starts_with("55501"))
        );
        let names: HashSet<&str> = people.iter().map(|person| person.name.as_str()).collect();
        assert!(names.len() > 1_000, "{} names", names.len());
    }
}
