//! What `sockdiff doctor` finds out about a machine.

use crate::model::capability::Lack;

/// One finding of `sockdiff doctor`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What was looked at: `network namespaces`.
    pub what: String,
    /// What was found, as a fragment: `each case gets its own`.
    pub found: String,
    /// Whether that is as good as it gets.
    pub good: bool,
    /// The one command that enables what is missing.
    pub remedy: Option<String>,
}

impl Finding {
    /// As good as it gets.
    pub fn good(what: &str, found: impl Into<String>) -> Finding {
        Finding { what: what.to_owned(), found: found.into(), good: true, remedy: None }
    }

    /// Something is missing; a remedy can be added by [`Finding::remedy`].
    pub fn bad(what: &str, found: impl Into<String>) -> Finding {
        Finding { good: false, ..Finding::good(what, found) }
    }

    /// With the command that enables what is missing.
    pub fn remedy(self, command: impl Into<String>) -> Finding {
        Finding { remedy: Some(command.into()), ..self }
    }

    /// `found` if it works, else what is lacking.
    pub fn tried(what: &str, found: &str, tried: &Result<(), Lack>) -> Finding {
        match tried {
            Ok(()) => Finding::good(what, found),
            Err(lack) => {
                let remedy = lack.remedy.clone();
                Finding { remedy, ..Finding::bad(what, lack.reason.clone()) }
            }
        }
    }
}
