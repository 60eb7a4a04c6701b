//! The statements of a file, each known by its tokens and by the class or function it stands in.
//!
//! A statement of Python is a logical line as formatters see it: brackets and backslashes are followed over line
//! breaks, and what stands behind `;` or behind the colon of `if x:` is a statement of its own. In its text there is no
//! white space, no comment, no trailing comma, no parenthesis that only groups, no kind of quote, and strings that
//! stand side by side are one. In every other file, a statement is a line that is not empty, without white space.
//!
//! It is read once from start to end, so that a quote in one line cannot be misread in another. A file that is no
//! Python for all its name gives some statements, and the same ones for the same bytes.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use crate::baseline::hash::{self, Hash};
use crate::baseline::python::{Kind, Token, Tokens};
use crate::linters::position::SourceLines;
use crate::model::region::Point;

/// In a longer statement, a place is known by its line alone.
const LONG: usize = 8 << 10;

/// Brackets within brackets, deeper than this, are not told apart.
const DEPTH: usize = 200;

/// What stands at a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The statement; zero where there is none.
    pub text: u32,
    /// The part of the statement between commas or brackets, and how the statement begins.
    pub part: u32,
    /// The class or function around it: upper half those further out, lower half itself; zero for none.
    pub scope: u32,
    /// The statement before it in the same block, or the head of the block; zero where there is none.
    pub before: u16,
    /// The statement behind it that is not within it; zero where there is none.
    pub after: u16,
}

/// How often things occur in a file, to tell what moved from what was mended.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    statements: HashMap<(u32, u32), u32>,
    halves: HashMap<u16, u32>,
    scopes: HashSet<u32>,
    /// The lower halves of the scopes.
    names: HashSet<u32>,
}

impl Inventory {
    /// How often the statement stands in that class or function.
    pub fn statements(&self, scope: u32, text: u32) -> u32 {
        self.statements.get(&(scope, text)).copied().unwrap_or(0)
    }

    /// How often the statement stands in the file.
    pub fn neighbours(&self, half: u16) -> u32 {
        self.halves.get(&half).copied().unwrap_or(0)
    }

    /// Whether there is nothing in the file.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Whether there is a class or function of that name, whatever it stands in.
    pub fn has_name(&self, scope: u32) -> bool {
        self.names.contains(&(scope & 0xffff))
    }

    /// Whether there is such a class or function.
    pub fn has_scope(&self, scope: u32) -> bool {
        self.scopes.contains(&scope)
    }
}

/// The statements of one file.
#[derive(Clone, Debug)]
pub struct Outline<'a> {
    bytes: &'a [u8],
    lines: SourceLines<'a>,
    is_python: bool,
    statements: Vec<Statement>,
    comments: Vec<Comment>,
    /// Strings of several lines.
    long_strings: Vec<(usize, usize)>,
    scopes: HashSet<u32>,
    /// The statement that was taken apart last, by its start: findings come in the order of the lines.
    recent: RefCell<Recent>,
}

/// A statement that was taken apart.
#[derive(Clone, Debug, Default)]
struct Recent {
    start: Option<usize>,
    tokens: Vec<Token>,
    /// The part of it that was asked for last, as a range of tokens, and what it is known by.
    part: Option<((usize, usize), u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Statement {
    start: usize,
    end: usize,
    text: u32,
    scope: u32,
    /// As a neighbour: a class or function without its name, which may change.
    shape: u16,
    indent: usize,
    /// `else`, `except` and the like: part of the statement that they belong to.
    is_clause: bool,
    before: u16,
    after: u16,
}

#[derive(Clone, Copy, Debug)]
struct Comment {
    start: usize,
    end: usize,
    scope: u32,
}

impl<'a> Outline<'a> {
    /// Reads a file, as Python if its name says so.
    pub fn new(path: &str, bytes: &'a [u8]) -> Self {
        let is_python = [".py", ".pyi", ".pyw"]
            .iter()
            .any(|ending| path.ends_with(ending));
        let mut outline = Self {
            bytes,
            lines: SourceLines::new(bytes),
            is_python,
            statements: Vec::new(),
            comments: Vec::new(),
            long_strings: Vec::new(),
            scopes: HashSet::new(),
            recent: RefCell::default(),
        };
        if is_python {
            Reader::new(&mut outline).read();
        } else {
            outline.read_lines();
        }
        introduce(&mut outline.statements);
        if is_python {
            outline.tell_clauses_apart();
        }
        outline
    }

    /// The lines of the file.
    pub fn lines(&self) -> &SourceLines<'a> {
        &self.lines
    }

    /// The statements in their order, each with its class or function.
    pub fn statements(&self) -> impl Iterator<Item = (u32, u32)> {
        let statements = self.statements.iter();
        statements.map(|statement| (statement.scope, statement.text))
    }

    /// What stands at a place; nothing for a line that does not exist or is empty.
    pub fn at(&self, point: Point) -> Site {
        let place = self
            .lines
            .offset(point.line)
            .zip(self.lines.line(point.line));
        let Some((start, line)) = place else {
            return Site::default();
        };
        let blank = line
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        let end = start + line.len();
        let column = point.byte.and_then(|byte| usize::try_from(byte).ok());
        // A place in the indentation, or none, is the line's first word.
        let offset = start + column.unwrap_or(0).max(blank).min(line.len());
        let index = self.statement_at(offset, start, end);
        let statement = index.and_then(|index| self.statements.get(index));
        let own = statement.filter(|own| own.start < end && own.end > start && blank < line.len());
        let mut site = Site {
            text: own.map_or(0, |own| own.text),
            part: 0,
            scope: statement.map_or(0, |statement| statement.scope),
            before: own.map_or(statement.map_or(0, |last| last.shape), |own| own.before),
            after: match own {
                Some(own) => own.after,
                None => self
                    .statements
                    .get(index.map_or(0, |index| index + 1))
                    .map_or(0, |next| next.shape),
            },
        };
        if let Some(comment) = self.comment_at(offset) {
            site.part = words(b"#", self.slice(comment.start, comment.end));
            if own.is_none() {
                (site.text, site.scope) = (site.part, comment.scope);
            }
        } else if let Some(piece) = self.string_line_at(offset, start, line.len()) {
            site.part = words(b"\"", piece);
            site.text = site.part;
        } else if let Some(own) = own {
            site.part = self.part(own, offset, line);
        }
        site
    }

    /// Counts what is in the file.
    pub fn inventory(&self) -> Inventory {
        let mut inventory = Inventory {
            scopes: self.scopes.clone(),
            names: self.scopes.iter().map(|scope| scope & 0xffff).collect(),
            ..Inventory::default()
        };
        for statement in &self.statements {
            *inventory
                .statements
                .entry((statement.scope, statement.text))
                .or_default() += 1;
            *inventory.halves.entry(statement.shape).or_default() += 1;
        }
        for comment in &self.comments {
            let text = words(b"#", self.slice(comment.start, comment.end));
            let counted = inventory.statements.entry((comment.scope, text));
            *counted.or_default() += 1;
        }
        inventory
    }

    /// `except:` says nothing of its own: what it is known by is what comes first in it.
    fn tell_clauses_apart(&mut self) {
        let mut next = 0;
        for index in (0..self.statements.len()).rev() {
            let statement = self.statements[index];
            let text = statement.text;
            if self.is_bare(&statement) {
                let mut hash = Hash::default();
                hash.add(&text.to_be_bytes()).add(&u32::to_be_bytes(next));
                self.statements[index].text = hash.finish();
            }
            next = text;
        }
    }

    /// Whether it is the head of a block and nothing more.
    fn is_bare(&self, statement: &Statement) -> bool {
        let text = self.slice(statement.start, statement.end);
        let word = text.strip_suffix(b":").unwrap_or(text).trim_ascii_end();
        matches!(word, b"try" | b"else" | b"except" | b"finally")
    }

    fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The last statement that begins at or before an offset.
    fn last_before(&self, offset: usize) -> Option<usize> {
        self.statements
            .partition_point(|statement| statement.start <= offset)
            .checked_sub(1)
    }

    /// The statement that an offset belongs to: the one around it, or the next one on its line, or the last one.
    fn statement_at(&self, offset: usize, line_start: usize, line_end: usize) -> Option<usize> {
        let last = self.last_before(offset);
        let begins_on_line = |index: usize| {
            self.statements
                .get(index)
                .is_some_and(|statement| (line_start..line_end).contains(&statement.start))
        };
        match last {
            Some(index)
                if self
                    .statements
                    .get(index)
                    .is_some_and(|statement| offset < statement.end) =>
            {
                last
            }
            Some(index) if begins_on_line(index) => last,
            _ => {
                let next = last.map_or(0, |index| index + 1);
                if begins_on_line(next) {
                    Some(next)
                } else {
                    last
                }
            }
        }
    }

    /// The comment at an offset, its end included: tools put some places behind the last character.
    fn comment_at(&self, offset: usize) -> Option<Comment> {
        let behind = self
            .comments
            .partition_point(|comment| comment.start <= offset);
        let comment = *self.comments.get(behind.checked_sub(1)?)?;
        (offset <= comment.end).then_some(comment)
    }

    /// The line of a long string, unless it is the one that stands for the string.
    fn string_line_at(&self, offset: usize, line_start: usize, length: usize) -> Option<&'a [u8]> {
        let behind = self
            .long_strings
            .partition_point(|string| string.0 <= offset);
        let (start, end) = *self.long_strings.get(behind.checked_sub(1)?)?;
        if offset > end {
            return None;
        }
        let head = first_line(self.slice(start, end));
        let head_end = start + head.1;
        (line_start >= start && line_start >= head_end)
            .then(|| self.slice(line_start, (line_start + length).min(end)))
    }

    /// The part of a statement that an offset stands in, with how the statement begins.
    fn part(&self, statement: &Statement, offset: usize, line: &[u8]) -> u32 {
        if !self.is_python || self.is_bare(statement) {
            return statement.text;
        }
        if statement.end - statement.start > LONG {
            return words(b"l", line);
        }
        let mut recent = self.recent.borrow_mut();
        let Recent {
            start,
            tokens,
            part,
        } = &mut *recent;
        if *start != Some(statement.start) {
            (*start, *part) = (Some(statement.start), None);
            tokens.clear();
            tokens.extend(
                Tokens::new(self.slice(0, statement.end), statement.start)
                    .filter(|token| !matches!(token.kind, Kind::Comment | Kind::LineBreak)),
            );
        }
        // A place behind a word belongs to it.
        let at = tokens
            .iter()
            .position(|token| offset < token.end)
            .unwrap_or(tokens.len().saturating_sub(1));
        let is_comma = |token: &Token| token.kind == Kind::Operator(b',');
        let (mut from, mut depth) = (0, 0_u32);
        for (index, token) in tokens.iter().enumerate().take(at).rev() {
            match token.kind {
                Kind::Operator(b')' | b']' | b'}') => depth += 1,
                Kind::Operator(b'(' | b'[' | b'{') if depth > 0 => depth -= 1,
                _ if depth > 0 => {}
                Kind::Operator(b'(' | b'[' | b'{') => {
                    from = index + 1;
                    break;
                }
                _ if is_comma(token) => {
                    from = index + 1;
                    break;
                }
                _ => {}
            }
        }
        let (mut to, mut depth) = (tokens.len(), 0_u32);
        for (index, token) in tokens.iter().enumerate().skip(at) {
            match token.kind {
                Kind::Operator(b'(' | b'[' | b'{') => depth += 1,
                Kind::Operator(b')' | b']' | b'}') if depth > 0 => depth -= 1,
                Kind::Operator(b')' | b']' | b'}') => {
                    to = index;
                    break;
                }
                _ if depth == 0 && is_comma(token) => {
                    to = index;
                    break;
                }
                _ => {}
            }
        }
        if let Some((_, known)) = part.filter(|(range, _)| *range == (from, to)) {
            return known;
        }
        let first = tokens
            .first()
            .map_or(&[][..], |token| self.slice(token.start, token.end));
        let length = if matches!(first, b"import" | b"from") {
            1
        } else {
            4
        };
        let head = tokens
            .iter()
            .take(length)
            .take_while(|token| !is_comma(token))
            .count();
        let mut text = Text::default();
        for token in tokens.iter().take(head) {
            text.add(*token, self.bytes);
        }
        text.separate();
        for token in tokens.iter().take(to).skip(from) {
            text.add(*token, self.bytes);
        }
        let text = text.finish();
        *part = Some(((from, to), text));
        text
    }

    fn read_lines(&mut self) {
        for number in 1..=self.lines.count() {
            let Some((start, line)) = self.lines.offset(number).zip(self.lines.line(number)) else {
                continue;
            };
            let blank = line
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            if blank < line.len() {
                let text = words(b"l", line.strip_suffix(b",").unwrap_or(line));
                self.statements.push(Statement {
                    start: start + blank,
                    end: start + line.len(),
                    text,
                    scope: 0,
                    shape: hash::half(text),
                    indent: 0,
                    is_clause: false,
                    before: 0,
                    after: 0,
                });
            }
        }
    }
}

/// Tells each statement its neighbours: what stands in it is none, and neither are the clauses of one statement.
fn introduce(statements: &mut [Statement]) {
    // The last statement of each open block, the outermost first, with its clauses.
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    for index in 0..statements.len() {
        let Statement {
            indent,
            is_clause,
            shape,
            ..
        } = statements[index];
        let indent_of = |block: &[usize]| block.first().map_or(0, |head| statements[*head].indent);
        let mut ended = Vec::new();
        while blocks.last().is_some_and(|block| indent_of(block) > indent) {
            ended.extend(blocks.pop().unwrap_or_default());
        }
        match blocks.last_mut() {
            Some(block) if indent_of(block) == indent => {
                let head = block.first().copied().unwrap_or(index);
                if is_clause {
                    statements[index].before = statements[head].before;
                    block.push(index);
                } else {
                    statements[index].before = statements[head].shape;
                    ended.append(block);
                    block.push(index);
                }
            }
            _ => {
                let head = index.checked_sub(1);
                statements[index].before = head.map_or(0, |head| statements[head].shape);
                blocks.push(vec![index]);
            }
        }
        for ended in ended {
            statements[ended].after = shape;
        }
    }
}

/// The hash of a text without its white space.
fn words(kind: &[u8], text: &[u8]) -> u32 {
    let mut hash = Hash::default();
    hash.add(kind).end();
    for word in text.split(u8::is_ascii_whitespace) {
        hash.add(word);
    }
    hash.finish()
}

/// The first line of a string that is more than quotes, and where it ends.
fn first_line(string: &[u8]) -> (&[u8], usize) {
    let mut start = 0;
    for line in string.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
        let end = start + line.len();
        let is_empty = line.iter().all(|byte| {
            byte.is_ascii_whitespace()
                || matches!(byte, b'"' | b'\'' | b'\\' | b'r' | b'R' | b'f' | b'F')
        });
        if !is_empty {
            return (line, end);
        }
        start = end;
    }
    (string, string.len())
}

/// The text of a statement in the making.
#[derive(Default)]
struct Text {
    hash: Hash,
    /// A comma that counts only if something follows.
    comma: bool,
    after_string: bool,
    /// Whether what stands before an opening parenthesis makes it a call.
    callable: bool,
    /// For each open bracket, whether it counts.
    brackets: Vec<bool>,
}

impl Text {
    fn add(&mut self, token: Token, bytes: &[u8]) {
        let text = bytes.get(token.start..token.end).unwrap_or_default();
        match token.kind {
            Kind::Comment | Kind::LineBreak => {}
            Kind::Operator(b',') => {
                self.flush();
                self.comma = true;
                (self.after_string, self.callable) = (false, false);
            }
            Kind::Operator(byte @ (b'(' | b'[' | b'{')) => {
                self.flush();
                let counts = byte != b'(' || self.callable;
                if self.brackets.len() < DEPTH {
                    self.brackets.push(counts);
                }
                self.bracket(byte, counts);
                self.callable = false;
            }
            Kind::Operator(byte @ (b')' | b']' | b'}')) => {
                self.comma = false;
                let counts = self.brackets.pop().unwrap_or(true);
                self.bracket(byte, counts);
                self.callable = true;
            }
            Kind::Operator(byte) => {
                // `a, = b` is `(a,) = b`.
                self.comma &= byte != b'=';
                self.flush();
                self.hash.end().add(&[byte]);
                (self.after_string, self.callable) = (false, false);
            }
            Kind::Word => {
                self.flush();
                self.hash.end();
                match text.first() {
                    // `.5` is `0.5`, `5.` is `5.0`, `0XFF` is `0xff`.
                    Some(b'.') => self.hash.add(b"0").add(text),
                    Some(b'0'..=b'9') => {
                        self.hash.add(&text.to_ascii_lowercase());
                        self.hash.add(if text.ends_with(b".") { b"0" } else { b"" })
                    }
                    _ => self.hash.add(text),
                };
                self.after_string = false;
                self.callable = !is_keyword(text);
            }
            Kind::String => {
                self.flush();
                if !self.after_string {
                    self.hash.end();
                }
                self.string(text);
                (self.after_string, self.callable) = (true, true);
            }
        }
    }

    fn bracket(&mut self, byte: u8, counts: bool) {
        if counts {
            self.hash.end().add(&[byte]);
            self.after_string = false;
        }
    }

    /// The comma that waited counts after all.
    fn flush(&mut self) {
        if std::mem::take(&mut self.comma) {
            self.hash.end().add(b",");
        }
    }

    /// What is in a string, however it is quoted, and whatever quotes are in it: a formatter may change both. Of what
    /// stands in three quotes, the first line without its blanks: a place within is known by its own line.
    fn string(&mut self, text: &[u8]) {
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
        let quote = text.iter().position(is_quote).unwrap_or(0);
        let (prefix, quoted) = text.split_at_checked(quote).unwrap_or_default();
        if !self.after_string {
            self.hash.add(b"\"");
            for byte in prefix {
                let byte = byte.to_ascii_lowercase();
                if matches!(byte, b'b' | b'r') {
                    self.hash.add(&[byte]);
                }
            }
        }
        let is_long = quoted
            .first()
            .is_some_and(|mark| quoted.starts_with(&[*mark; 3]));
        let content = if is_long {
            first_line(quoted).0
        } else {
            quoted
        };
        let mut bytes = content.iter().copied().peekable();
        let mut kept = Vec::with_capacity(content.len());
        while let Some(byte) = bytes.next() {
            match byte {
                // An escaped quote needs its backslash in one style of quotes only.
                b'\\' if bytes.peek().is_some_and(is_quote) => {}
                b'\\' => {
                    kept.push(byte);
                    let escape = bytes.next();
                    kept.extend(escape);
                    // `\xEB` is `\xeb`.
                    if matches!(escape, Some(b'x' | b'u' | b'U')) {
                        while let Some(digit) = bytes.next_if(u8::is_ascii_hexdigit) {
                            kept.push(digit.to_ascii_lowercase());
                        }
                    }
                }
                b'\'' | b'"' => {}
                _ if is_long && byte.is_ascii_whitespace() => {}
                _ => kept.push(byte),
            }
        }
        self.hash.add(&kept);
    }

    fn separate(&mut self) {
        self.hash.end().end();
        (self.comma, self.after_string, self.callable) = (false, false, false);
        self.brackets.clear();
    }

    fn finish(self) -> u32 {
        self.hash.finish()
    }
}

fn is_keyword(word: &[u8]) -> bool {
    matches!(
        word,
        b"and"
            | b"as"
            | b"assert"
            | b"async"
            | b"await"
            | b"case"
            | b"del"
            | b"elif"
            | b"else"
            | b"except"
            | b"for"
            | b"from"
            | b"if"
            | b"import"
            | b"in"
            | b"is"
            | b"lambda"
            | b"not"
            | b"or"
            | b"raise"
            | b"return"
            | b"while"
            | b"with"
            | b"yield"
    )
}

/// Whether a line that begins so can only be a statement: it stands in no bracket that was ever closed.
fn is_statement_only(word: &[u8]) -> bool {
    matches!(
        word,
        b"assert"
            | b"break"
            | b"class"
            | b"continue"
            | b"def"
            | b"del"
            | b"global"
            | b"nonlocal"
            | b"pass"
            | b"raise"
            | b"return"
            | b"try"
            | b"while"
    )
}

/// Whether a colon outside of brackets ends a statement that begins so.
fn is_header(word: &[u8]) -> bool {
    matches!(
        word,
        b"async"
            | b"class"
            | b"def"
            | b"elif"
            | b"else"
            | b"except"
            | b"finally"
            | b"for"
            | b"if"
            | b"try"
            | b"while"
            | b"with"
    )
}

/// Whether a statement that begins so is part of the one before it.
fn is_clause(word: &[u8]) -> bool {
    matches!(word, b"elif" | b"else" | b"except" | b"finally")
}

/// Reads the statements of Python.
struct Reader<'o, 'a> {
    outline: &'o mut Outline<'a>,
    /// The classes and functions around the place that was reached.
    scopes: Vec<Scope>,
    depth: u32,
    line_start: usize,
    /// The statement in the making.
    open: Option<Open>,
    /// How deep the next statement is if it stands on the same line.
    inline: usize,
}

struct Scope {
    indent: usize,
    /// Of the names from the outermost on.
    chain: u32,
    id: u32,
}

struct Open {
    start: usize,
    end: usize,
    text: Text,
    is_header: bool,
    is_clause: bool,
    /// After `def` or `class`: the next word is a name.
    names: bool,
    name: Option<u32>,
    lambdas: u32,
    indent: usize,
    scope: u32,
}

impl<'o, 'a> Reader<'o, 'a> {
    fn new(outline: &'o mut Outline<'a>) -> Self {
        Self {
            outline,
            scopes: Vec::new(),
            depth: 0,
            line_start: 0,
            open: None,
            inline: 0,
        }
    }

    fn read(mut self) {
        let bytes = self.outline.bytes;
        let start = self.outline.lines.offset(1).unwrap_or(0);
        self.line_start = start;
        let mut tokens = Tokens::new(bytes, start).peekable();
        while let Some(token) = tokens.next() {
            let text = bytes.get(token.start..token.end).unwrap_or_default();
            match token.kind {
                Kind::LineBreak => {
                    if self.depth == 0 {
                        self.close();
                    }
                    self.line_start = token.end;
                }
                Kind::Comment => self.comment(token),
                Kind::Operator(b';') if self.depth == 0 => self.close(),
                Kind::Word if self.depth > 0 && is_statement_only(text) && self.is_first(token) => {
                    self.close();
                    self.add(token, text);
                }
                _ => {
                    if token.kind == Kind::String
                        && text.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
                    {
                        self.outline.long_strings.push((token.start, token.end));
                    }
                    self.add(token, text);
                    let next = tokens.peek().map(|next| next.kind);
                    if token.kind == Kind::Operator(b':') && next != Some(Kind::Operator(b'=')) {
                        self.colon();
                    }
                }
            }
        }
        self.close();
    }

    /// A comment belongs to what it is indented as, whatever was said before it.
    fn comment(&mut self, token: Token) {
        let scope = match &self.open {
            Some(open) => open.scope,
            None if self.is_first(token) => {
                let before = self.outline.bytes.get(self.line_start..token.start);
                let indent = width(before.unwrap_or_default());
                let around = self.scopes.iter().rev();
                around
                    .map(|scope| (scope.indent, scope.id))
                    .find(|scope| scope.0 < indent)
                    .map_or(0, |scope| scope.1)
            }
            None => self.outline.statements.last().map_or(0, |last| last.scope),
        };
        self.outline.comments.push(Comment {
            start: token.start,
            end: token.end,
            scope,
        });
    }

    /// Whether nothing but white space stands before it on its line.
    fn is_first(&self, token: Token) -> bool {
        let before = self.outline.bytes.get(self.line_start..token.start);
        before.is_some_and(|before| before.iter().all(u8::is_ascii_whitespace))
    }

    fn add(&mut self, token: Token, text: &[u8]) {
        if self.open.is_none() {
            self.begin(token, text);
        }
        match token.kind {
            Kind::Operator(b'(' | b'[' | b'{') => self.depth += 1,
            Kind::Operator(b')' | b']' | b'}') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        let Some(open) = &mut self.open else {
            return;
        };
        open.text.add(token, self.outline.bytes);
        open.end = token.end;
        if token.kind != Kind::Word {
            return;
        }
        if std::mem::take(&mut open.names) {
            open.name = Some(hash::of(text));
        } else if open.is_header && open.name.is_none() && matches!(text, b"def" | b"class") {
            open.names = true;
        } else if text == b"lambda" && self.depth == 0 {
            open.lambdas += 1;
        }
    }

    fn begin(&mut self, token: Token, text: &[u8]) {
        let is_first = self.is_first(token);
        let indent = if is_first {
            let before = self.outline.bytes.get(self.line_start..token.start);
            width(before.unwrap_or_default())
        } else {
            self.inline
        };
        self.inline = indent;
        if is_first {
            while self
                .scopes
                .last()
                .is_some_and(|scope| scope.indent >= indent)
            {
                self.scopes.pop();
            }
        }
        self.open = Some(Open {
            start: token.start,
            end: token.end,
            text: Text::default(),
            is_header: token.kind == Kind::Word && is_header(text),
            is_clause: token.kind == Kind::Word && is_clause(text),
            names: false,
            name: None,
            lambdas: 0,
            indent,
            scope: self.scopes.last().map_or(0, |scope| scope.id),
        });
    }

    /// The colon of a header ends it; a class or function begins.
    fn colon(&mut self) {
        let Some(open) = &mut self.open else {
            return;
        };
        if self.depth > 0 || !open.is_header {
            return;
        }
        if open.lambdas > 0 {
            open.lambdas -= 1;
            return;
        }
        let (name, indent) = (open.name, open.indent);
        self.close();
        self.inline = indent + 1;
        if let Some(name) = name {
            let outer = self.scopes.last().map_or(0, |scope| scope.chain);
            let mut chain = Hash::default();
            chain.add(&outer.to_be_bytes()).add(&name.to_be_bytes());
            let outer_half = if outer == 0 { 0 } else { hash::half(outer) };
            let id = u32::from(outer_half) << 16 | u32::from(hash::half(name));
            self.outline.scopes.insert(id);
            if self.scopes.len() < DEPTH {
                self.scopes.push(Scope {
                    indent,
                    chain: chain.finish(),
                    id,
                });
            }
        }
    }

    fn close(&mut self) {
        self.depth = 0;
        let Some(open) = self.open.take() else {
            return;
        };
        let text = open.text.finish();
        let shape = match open.name {
            Some(_) => nameless(self.outline.slice(0, open.end), open.start),
            None => text,
        };
        self.outline.statements.push(Statement {
            start: open.start,
            end: open.end,
            text,
            scope: open.scope,
            shape: hash::half(shape),
            indent: open.indent,
            is_clause: open.is_clause,
            before: 0,
            after: 0,
        });
    }
}

/// The text of the head of a class or function without its name.
fn nameless(bytes: &[u8], start: usize) -> u32 {
    let mut text = Text::default();
    let mut names = false;
    for token in Tokens::new(bytes, start) {
        let word = bytes.get(token.start..token.end);
        if !std::mem::replace(&mut names, matches!(word, Some(b"def" | b"class"))) {
            text.add(token, bytes);
        }
    }
    text.finish()
}

/// How far an indentation reaches, as Python counts tabs.
fn width(indentation: &[u8]) -> usize {
    indentation.iter().fold(0, |width, byte| match byte {
        b'\t' => (width / 8 + 1) * 8,
        b'\x0c' => 0,
        _ => width + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<(u32, u32)> {
        Outline::new("a.py", source.as_bytes())
            .statements()
            .collect()
    }

    #[test]
    fn what_formatters_change_is_no_difference() {
        for (left, right) in [
            ("f(a, b)", "f(\n    a,\n    b,\n)"),
            ("x = a + b", "x = (\n  a  # why\n  + b\n)"),
            ("x = a + \\\n  b", "x=a+b"),
            ("s = 'it\\'s'", "s = \"it's\""),
            ("s = 'a' 'b'", "s = \"ab\""),
            ("s = U'a'", "s = \"a\""),
            ("from a import b", "from a import (b,)"),
            ("a, = b", "(a,) = b"),
            ("if a: b = 1; c = 2", "if a:\n    b = 1\n    c = 2"),
            ("x = .5 + 0XFF", "x = 0.5 + 0xff"),
            ("def f():\r\n\tx\r\n", "def f():\n    x\n"),
            ("with (open(a) as b, c): x", "with open(a) as b, c:\n    x"),
        ] {
            assert_eq!(texts(left), texts(right), "{left}\n{right}");
        }
    }

    #[test]
    fn what_makes_a_difference_stays_one() {
        for (left, right) in [
            ("f(a, b)", "f(a), b"),
            ("f(a)", "f[a]"),
            ("s = b'a'", "s = 'a'"),
            ("s = r'\\n'", "s = '\\n'"),
            ("x = a - b", "x = a, -b"),
            ("ab = 1", "a = b1"),
            ("x = 'a b'", "x = 'ab'"),
            ("def f(): x", "def g(): x"),
            ("class A:\n  def f(): x", "def f(): x"),
        ] {
            assert_ne!(texts(left), texts(right), "{left}\n{right}");
        }
    }

    #[test]
    fn a_bracket_that_is_never_closed_ends_where_a_statement_begins() {
        let broken = "x = f(a,\ndef g():\n    return y\n";
        let fixed = "x = f(a)\ndef g():\n    return y\n";
        assert_eq!(texts(broken)[1..], texts(fixed)[1..]);
    }

    #[test]
    fn every_place_in_any_bytes_is_survived() {
        let mut random = 3_u64;
        for _ in 0..4_000 {
            let bytes: Vec<u8> = (0..40)
                .flat_map(|_| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let pieces: [&[u8]; 16] = [
                        b"def f():",
                        b"class A:",
                        b"\n",
                        b"\n    ",
                        b"\r\n",
                        b"'''",
                        b"f\"{",
                        b"}",
                        b"(",
                        b"]",
                        b",",
                        b"# x",
                        b"except:",
                        b"\\",
                        b"\xff",
                        b"x",
                    ];
                    pieces[usize::try_from(random >> 33).expect("31 bits") % 16]
                })
                .copied()
                .collect();
            let outline = Outline::new("a.py", &bytes);
            for line in 0..=outline.lines().count() + 1 {
                for byte in [None, Some(0), Some(3), Some(u32::MAX)] {
                    let column = byte.map(|_| 1);
                    outline.at(Point { line, byte, column });
                }
            }
            let _ = outline.inventory();
        }
    }
}
