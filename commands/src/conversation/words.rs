//! What is said in a conversation: checked, and sealed.

use domain::conversation::{Conversation, ConversationError, LONGEST_TEXT};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId};
use domain::ids::{ConversationId, CustomerId, SubjectId};

use crate::{Caller, CommandError, Commands};

/// Name of the field that a message's text is sealed as.
pub(crate) const TEXT_FIELD: &str = "text";
/// Name of the field that the address of a message's sender is sealed as.
pub(super) const FROM_FIELD: &str = "from";

impl Commands {
    /// Seals what is said, or where from, for the customer; for the conversation where nobody knows who it is.
    pub(crate) async fn seal_said(
        &self,
        caller: &Caller,
        id: ConversationId,
        customer: Option<CustomerId>,
        field: &str,
        text: &str,
    ) -> Result<Sealed, CommandError> {
        let subject = customer.map_or(SubjectId(id.0), |customer| SubjectId(customer.0));
        let stream = StreamId::new(Conversation::STREAM, id.to_string());
        Ok(self
            .vault
            .seal(caller.tenant, subject, &stream, field, text)
            .await?)
    }
}

/// What is said, without the blanks around it.
pub(super) fn check_text(text: &str) -> Result<&str, CommandError> {
    let said = text.trim();
    if said.is_empty() || text.chars().count() > LONGEST_TEXT {
        return Err(CommandError::refused(ConversationError::BadText));
    }
    Ok(said)
}
