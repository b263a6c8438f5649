//! Rust text, split into code and comments, so that a rule about one is not fooled by the other.
//!
//! Not a parser: it knows comments, strings and characters, which is all that the rules need. Both halves keep every line
//! break, so that a line number in a half is one in the file.

/// The two halves of a file. What is in neither (the inside of strings) is blank in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RustText {
    pub(crate) code: String,
    pub(crate) comments: String,
}

impl RustText {
    pub(crate) fn of(text: &str) -> Self {
        let mut scanner = Scanner {
            chars: text.chars().collect(),
            at: 0,
            halves: Self { code: String::new(), comments: String::new() },
        };
        while scanner.at < scanner.chars.len() {
            scanner.next();
        }
        scanner.halves
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Inside,
}

struct Scanner {
    chars: Vec<char>,
    at: usize,
    halves: RustText,
}

impl Scanner {
    fn next(&mut self) {
        match (self.peek(0), self.peek(1)) {
            (Some('/'), Some('/')) => self.line_comment(),
            (Some('/'), Some('*')) => self.block_comment(),
            (Some('"'), _) => self.string(),
            (Some('r'), Some('"' | '#')) => self.raw_string_or_name(),
            (Some('\''), _) => self.character_or_lifetime(),
            _ => self.take(1, Part::Code),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn take(&mut self, count: usize, part: Part) {
        for _ in 0..count {
            let Some(char) = self.peek(0) else { return };
            let blank = if char == '\n' { '\n' } else { ' ' };
            self.halves.code.push(if part == Part::Code { char } else { blank });
            self.halves.comments.push(if part == Part::Comment { char } else { blank });
            self.at += 1;
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|char| char != '\n') {
            self.take(1, Part::Comment);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_u32;
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return,
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.take(2, Part::Comment);
                }
                (Some('*'), Some('/')) => {
                    depth = depth.saturating_sub(1);
                    self.take(2, Part::Comment);
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.take(1, Part::Comment),
            }
        }
    }

    fn string(&mut self) {
        self.take(1, Part::Code);
        loop {
            match self.peek(0) {
                None => return,
                Some('"') => return self.take(1, Part::Code),
                Some('\\') => self.take(2, Part::Inside),
                Some(_) => self.take(1, Part::Inside),
            }
        }
    }

    /// `r"…"` and `r#"…"#`; but `r#type` is a name, and the `r` that ends another name starts nothing.
    fn raw_string_or_name(&mut self) {
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == Some('#')).count();
        if self.peek(hashes + 1) != Some('"') || self.ends_a_name() {
            return self.take(1, Part::Code);
        }
        self.take(hashes + 2, Part::Code);
        while self.at < self.chars.len() {
            let closes = self.peek(0) == Some('"')
                && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            if closes {
                return self.take(hashes + 1, Part::Code);
            }
            self.take(1, Part::Inside);
        }
    }

    fn ends_a_name(&self) -> bool {
        let before =
            |back: usize| self.at.checked_sub(back).and_then(|at| self.chars.get(at)).copied();
        let is_name = |char: Option<char>| char.is_some_and(|c| c.is_alphanumeric() || c == '_');
        match before(1) {
            Some('b' | 'c') => is_name(before(2)),
            other => is_name(other),
        }
    }

    fn character_or_lifetime(&mut self) {
        if self.peek(1) == Some('\\') {
            self.take(1, Part::Code);
            self.take(2, Part::Inside);
            while self.peek(0).is_some_and(|char| char != '\'') {
                self.take(1, Part::Inside);
            }
            self.take(1, Part::Code);
        } else if self.peek(2) == Some('\'') {
            self.take(1, Part::Code);
            self.take(1, Part::Inside);
            self.take(1, Part::Code);
        } else {
            self.take(1, Part::Code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        RustText::of(text).code
    }

    #[test]
    fn comments_and_code_part_and_lines_stay() {
        let halves = RustText::of("a; // b\n/* c /* d */ */ e\n");
        assert_eq!(halves.code, "a;     \n                e\n");
        assert_eq!(halves.comments, "   // b\n/* c /* d */ */  \n");
    }

    #[test]
    fn what_is_inside_a_text_is_no_code() {
        assert_eq!(code(r#"f("a \" // b")"#), "f(\"         \")");
        assert_eq!(code("r#\"a\"b\"# c"), "r#\"   \"# c");
        assert_eq!(code("br\"//\" c"), "br\"  \" c");
    }

    #[test]
    fn names_and_lifetimes_start_no_text() {
        assert_eq!(code("r#type 'a x"), "r#type 'a x");
        assert_eq!(code("fn f<'a>(c: char) { c == '\"' }"), "fn f<'a>(c: char) { c == ' ' }");
        assert_eq!(code(r"'\'' x"), "'  ' x");
    }
}
