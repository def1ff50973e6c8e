//! JSON as a tree: where its values are in its text, or where it is damaged.
//!
//! Read strictly by RFC 8259, without recursion and without converting anything. Several values one after the other, as in
//! files with one value a line, are taken too.

mod find;

use crate::model::json::{JsonKind, JsonNode, JsonTree};
use crate::results::disk;
pub use crate::results::json::find::places;
use crate::results::table::encoding::Encoding;
use std::io;
use std::path::Path;

/// Larger files are shown as text.
pub const MOST_BYTES: u64 = 32 << 20;

/// More values are shown as text.
const MOST_NODES: usize = 2_000_000;

/// Why a file is not shown as a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTree {
    /// It is larger than [`MOST_BYTES`].
    TooLarge,
    /// It has too many values.
    TooMany,
    /// It is no JSON from here on; both counted from 1, columns in characters.
    Damaged { line: usize, column: usize },
}

/// Reads a file as a tree.
pub fn open(path: &Path) -> io::Result<Result<JsonTree, NoTree>> {
    if path.metadata()?.len() > MOST_BYTES {
        return Ok(Err(NoTree::TooLarge));
    }
    let limit = usize::try_from(MOST_BYTES).unwrap_or(usize::MAX);
    let (bytes, size_bytes) = disk::head(path, limit)?;
    if size_bytes > MOST_BYTES {
        return Ok(Err(NoTree::TooLarge));
    }
    let text = Encoding::guess(&bytes).decode(&bytes);
    Ok(parse(text, size_bytes))
}

/// Finds the values of a text.
fn parse(text: String, size_bytes: u64) -> Result<JsonTree, NoTree> {
    let mut parser = Parser {
        bytes: text.as_bytes(),
        at: 0,
        nodes: Vec::new(),
        open: Vec::new(),
        tops: 0,
    };
    match parser.run() {
        Ok(()) => {
            let (nodes, tops) = (parser.nodes, parser.tops);
            Ok(JsonTree {
                text,
                nodes,
                tops,
                size_bytes,
            })
        }
        Err(Stop::TooMany) => Err(NoTree::TooMany),
        Err(Stop::Damaged) => Err(place(&text, parser.at)),
    }
}

fn place(text: &str, at: usize) -> NoTree {
    let before = String::from_utf8_lossy(text.as_bytes().get(..at).unwrap_or_default());
    let line = before.matches('\n').count() + 1;
    let column = before
        .chars()
        .rev()
        .take_while(|letter| *letter != '\n')
        .count()
        + 1;
    NoTree::Damaged { line, column }
}

enum Stop {
    Damaged,
    TooMany,
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<JsonNode>,
    /// Objects and arrays that have not ended.
    open: Vec<usize>,
    tops: u32,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        self.blanks();
        while self.at < self.bytes.len() {
            self.value((0, 0))?;
            self.tops += 1;
            while let Some(inside) = self.open.last().copied() {
                self.go_on(inside)?;
            }
            let before = self.at;
            self.blanks();
            // Numbers and words one after the other need something between them.
            if self.at < self.bytes.len() && self.at == before {
                return Err(Stop::Damaged);
            }
        }
        if self.tops == 0 {
            Err(Stop::Damaged)
        } else {
            Ok(())
        }
    }

    /// The next member of an object or array that is open, or its end.
    fn go_on(&mut self, inside: usize) -> Result<(), Stop> {
        let (kind, count) = match self.nodes.get(inside) {
            Some(node) => (node.kind, node.count),
            None => return Err(Stop::Damaged),
        };
        let end = if kind == JsonKind::Object { b'}' } else { b']' };
        self.blanks();
        if self.peek() == Some(end) {
            self.at += 1;
            self.close(inside);
            return Ok(());
        }
        if count > 0 {
            self.expect(b',')?;
            self.blanks();
        }
        let mut name = (0, 0);
        if kind == JsonKind::Object {
            let from = self.at;
            self.text()?;
            name = (offset(from), offset(self.at));
            self.blanks();
            self.expect(b':')?;
            self.blanks();
        }
        if let Some(node) = self.nodes.get_mut(inside) {
            node.count += 1;
        }
        self.value(name)
    }

    fn close(&mut self, inside: usize) {
        self.open.pop();
        let (end, next) = (offset(self.at), offset(self.nodes.len()));
        if let Some(node) = self.nodes.get_mut(inside) {
            node.value.1 = end;
            node.next = next;
        }
    }

    /// One value; of an object or array its beginning.
    fn value(&mut self, name: (u32, u32)) -> Result<(), Stop> {
        if self.nodes.len() >= MOST_NODES {
            return Err(Stop::TooMany);
        }
        let from = self.at;
        let kind = match self.peek() {
            Some(b'{') => JsonKind::Object,
            Some(b'[') => JsonKind::Array,
            Some(b'"') => {
                self.text()?;
                JsonKind::Text
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                JsonKind::Number
            }
            _ => {
                self.word()?;
                JsonKind::Word
            }
        };
        let number = self.nodes.len();
        if kind.holds_others() {
            self.at += 1;
            self.open.push(number);
        }
        let inside = self.open.len() - usize::from(kind.holds_others());
        self.nodes.push(JsonNode {
            kind,
            name,
            value: (offset(from), offset(self.at)),
            next: offset(number + 1),
            count: 0,
            depth: offset(inside),
        });
        Ok(())
    }

    fn text(&mut self) -> Result<(), Stop> {
        self.expect(b'"')?;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                            self.at += 1;
                        }
                        Some(b'u') => {
                            self.at += 1;
                            for _ in 0..4 {
                                if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                                    return Err(Stop::Damaged);
                                }
                                self.at += 1;
                            }
                        }
                        _ => return Err(Stop::Damaged),
                    }
                }
                Some(byte) if byte >= 0x20 => self.at += 1,
                Some(_) | None => return Err(Stop::Damaged),
            }
        }
    }

    fn number(&mut self) -> Result<(), Stop> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Stop> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == from {
            Err(Stop::Damaged)
        } else {
            Ok(())
        }
    }

    fn word(&mut self) -> Result<(), Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        for word in ["true", "false", "null"] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(());
            }
        }
        Err(Stop::Damaged)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(Stop::Damaged)
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

/// Places in a text of at most [`MOST_BYTES`], whose letters can take three bytes for one of the file.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{NoTree, open, parse};
    use crate::model::json::{JsonKind, JsonTree};
    use std::io::Write as _;

    fn tree(text: &str) -> JsonTree {
        parse(text.to_owned(), text.len() as u64).unwrap()
    }

    #[test]
    fn values_keep_their_order_their_digits_and_their_names() {
        let json = r#"{"z": 12345678901234567890123, "a": [1.10, -0e5, {"世界 #1": null}], "z": "a\nb", "": {}}"#;
        let tree = tree(json);
        let told: Vec<String> = tree
            .nodes
            .iter()
            .map(|node| {
                let name = tree.name(node, 99).unwrap_or_default();
                let value = match node.kind {
                    JsonKind::Object | JsonKind::Array => format!("{} inside", node.count),
                    _ => tree.value(node, 99),
                };
                format!("{}{name}={value}", " ".repeat(node.depth as usize))
            })
            .collect();
        assert_eq!(
            told,
            [
                "=4 inside",
                " z=12345678901234567890123",
                " a=3 inside",
                "  =1.10",
                "  =-0e5",
                "  =1 inside",
                "   世界 #1=null",
                " z=a\nb",
                " =0 inside",
            ]
        );
        let nexts: Vec<u32> = tree.nodes.iter().map(|node| node.next).collect();
        assert_eq!(nexts, [9, 2, 7, 4, 5, 7, 7, 8, 9]);
        assert_eq!(tree.source(&tree.nodes[0]), json);
    }

    #[test]
    fn one_value_a_line_is_a_list_of_values() {
        let tree = tree("{\"a\":1}\n{\"a\":2}\n\n3 4\n");
        assert_eq!(tree.tops, 4);
        assert_eq!(tree.nodes.len(), 6);
    }

    #[test]
    fn damage_is_said_with_its_place() {
        for (text, line, column) in [
            ("", 1, 1),
            ("{\"a\": 1,\n  \"b\" 2}", 2, 7),
            ("[1, 2", 1, 6),
            ("[\"世\u{1}\"]", 1, 4),
            ("[01]", 1, 3),
            ("{\"a\":1}x", 1, 8),
            ("[1,]", 1, 4),
            ("{,}", 1, 2),
        ] {
            let found = parse(text.to_owned(), 0).unwrap_err();
            assert_eq!(found, NoTree::Damaged { line, column }, "{text:?}");
        }
    }

    #[test]
    fn depth_costs_no_stack_and_number_is_bounded() {
        let deep = "[".repeat(500_000) + &"]".repeat(500_000);
        assert_eq!(tree(&deep).nodes.len(), 500_000);
        let many = format!("[{}0]", "0,".repeat(2_000_001));
        assert_eq!(parse(many, 0).unwrap_err(), NoTree::TooMany);
    }

    /// What another reader takes is taken, what it refuses is refused.
    #[test]
    fn it_agrees_with_another_reader_on_mutated_json() {
        let seed = r#" {"a":[1,-2.5e+3,"x\u00e9\\",true,null],"b":{"c":{}}} "#;
        let mut random = fastrand::Rng::with_seed(7);
        let letters = br#"{}[]",:\u019eE+-. tfn"#;
        let mut refused = 0;
        for _ in 0..60_000 {
            let mut bytes = seed.as_bytes().to_vec();
            for _ in 0..random.usize(1..4) {
                let at = random.usize(0..bytes.len());
                match random.u8(0..3) {
                    0 => bytes[at] = letters[random.usize(0..letters.len())],
                    1 => {
                        bytes.remove(at);
                    }
                    _ => bytes.insert(at, letters[random.usize(0..letters.len())]),
                }
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            let ours = parse(text.clone(), 0).is_ok_and(|tree| tree.tops == 1);
            // Half a letter beyond the basic plane is grammar, and no letter: readers differ.
            if !text.contains("\\ud") && !text.contains("\\uD") {
                assert_eq!(ours, theirs, "{text}");
            }
            refused += usize::from(!ours);
        }
        assert!((10_000..59_000).contains(&refused), "{refused}");
    }

    #[test]
    fn other_encodings_and_large_files() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"\xff\xfe").unwrap();
        for unit in "{\"größe\": 1}".encode_utf16() {
            file.write_all(&unit.to_le_bytes()).unwrap();
        }
        let tree = open(file.path()).unwrap().unwrap();
        assert_eq!(tree.name(&tree.nodes[1], 9).unwrap(), "größe");
        file.as_file().set_len(33 << 20).unwrap();
        assert_eq!(open(file.path()).unwrap(), Err(NoTree::TooLarge));
    }
}
