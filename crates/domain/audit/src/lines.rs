//! Lines of files that anybody may have written: none takes more room than the longest that is allowed.

use std::io::{self, BufRead, Read};

/// The most bytes of a line, its newline not counted. Longer ones are refused unread.
pub const MAX_LINE: usize = 262_144;

/// Reads the next line, its newline included, and gives back how many bytes that were: none at the end.
/// Of a line that is too long it reads one byte more than is allowed.
///
/// # Errors
/// What the reader says.
pub fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX).saturating_add(1);
    file.by_ref().take(most).read_until(b'\n', line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_line_is_read_whole_and_of_a_longer_one_no_more_than_tells_so() {
        for (length, expected) in [
            (0, 1),
            (10, 11),
            (MAX_LINE, MAX_LINE + 1),
            (MAX_LINE + 1, MAX_LINE + 1),
            (2 * MAX_LINE, MAX_LINE + 1),
        ] {
            let file = [vec![b'a'; length], vec![b'\n']].concat();
            let mut line = Vec::new();
            assert_eq!(read_line(&mut &*file, &mut line).unwrap(), expected, "{length}");
            assert_eq!(line.ends_with(b"\n"), length <= MAX_LINE, "{length}");
        }
    }
}
