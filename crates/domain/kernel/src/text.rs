//! Short text that people write: bounded, not blank, and free of control characters.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Why text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidText {
    /// Blank, or longer than allowed.
    #[error("must be 1 to {max} characters and not blank")]
    Length {
        /// The most characters allowed.
        max: usize,
    },
    /// It holds a control character, which could break a log line or a terminal.
    #[error("must hold no control characters")]
    Control,
}

/// Text of 1 to `MAX` characters, not blank, with no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if text.trim().is_empty() || text.chars().nth(MAX).is_some() {
            return Err(InvalidText::Length { max: MAX });
        }
        if text.chars().any(is_unprintable) {
            return Err(InvalidText::Control);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Control characters, line separators, and the marks that turn text around on a screen.
#[must_use]
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_count_characters_and_not_bytes() {
        assert!("éééé".parse::<Text<4>>().is_ok());
        assert_eq!("ééééé".parse::<Text<4>>(), Err(InvalidText::Length { max: 4 }));
        assert_eq!("  ".parse::<Text<4>>(), Err(InvalidText::Length { max: 4 }));
    }

    #[test]
    fn au_12_text_that_could_break_a_log_is_refused() {
        for bad in ["a\0", "a\r\nb", "\u{1b}[31m", "a\u{202e}b", "\u{feff}a"] {
            assert_eq!(bad.parse::<Text<16>>(), Err(InvalidText::Control), "{bad:?}");
        }
    }
}
