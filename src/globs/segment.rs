//! One part of a pattern, between two slashes. Follows `parse` and `AST` of minimatch 10 with the runner's options, which
//! make a regular expression of it, and short cuts for the most common.

use crate::globs::class::{self, Class, Set};
use crate::globs::fault::Problem;
use crate::globs::literal::is_space;

/// A part of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Segment {
    /// `**`: any number of parts.
    Globstar,
    /// This name.
    Name(String),
    /// `*`: any name.
    Any,
    /// `*.lock`: any name with this end. The short cut takes escapes for letters.
    Ends(String),
    /// `??.lock`: any name of so many UTF-16 units with this end. The short cut counts all letters of the pattern.
    Long(usize, String),
    /// `*.*`: any name with a dot.
    Dotted,
    /// `.*`: any name that starts with a dot.
    Hidden,
    /// Everything else.
    Expression(Expression),
}

/// What a part of a pattern is as a regular expression.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    /// The first is bound to the start of the name, the last to its end. An escaped `|` splits them, by a slip of the
    /// original; all else has only one.
    alternatives: Vec<Vec<Token>>,
    /// Whether letters are code points, as beside a class of Unicode properties, or UTF-16 units.
    by_code_point: bool,
    /// Whether the first alternative never matches `.` and `..`.
    refuses_dots: bool,
}

/// What matches some letters.
#[derive(Clone, Debug)]
enum Token {
    Letter(u32),
    /// `?`
    One,
    /// `*`
    Many,
    Set(Set),
    Never,
}

impl Segment {
    pub(super) fn parse(part: &str) -> Result<Self, Problem> {
        if part == "**" {
            return Ok(Self::Globstar);
        }
        short_cut(part).map_or_else(|| Compiler::default().compile(part), Ok)
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Globstar => false,
            Self::Name(own) => own == name,
            Self::Any => !name.is_empty() && !is_dots(name),
            Self::Ends(end) => name.ends_with(end.as_str()),
            Self::Long(length, end) => {
                name.ends_with(end.as_str())
                    && !is_dots(name)
                    && if name.is_ascii() {
                        name.len() == *length
                    } else {
                        name.encode_utf16().count() == *length
                    }
            }
            Self::Dotted => name.contains('.') && !is_dots(name),
            Self::Hidden => name.starts_with('.') && !is_dots(name),
            Self::Expression(expression) => expression.matches(name),
        }
    }
}

fn is_dots(name: &str) -> bool {
    matches!(name, "." | "..")
}

/// The forms that minimatch knows without a regular expression.
fn short_cut(part: &str) -> Option<Segment> {
    let is_plain = |text: &str| !text.contains(['+', '@', '!', '?', '*', '[', '(']);
    let behind_stars = part.trim_start_matches('*');
    let behind_marks = part.trim_start_matches('?');
    if behind_stars.len() < part.len() {
        if behind_stars.is_empty() {
            return Some(Segment::Any);
        }
        if is_plain(behind_stars) {
            return Some(Segment::Ends(behind_stars.to_owned()));
        }
        let rest = behind_stars.strip_prefix('.')?;
        return rest
            .bytes()
            .all(|byte| byte == b'*')
            .then_some(Segment::Dotted);
    }
    if behind_marks.len() < part.len() {
        let length = part.encode_utf16().count();
        return is_plain(behind_marks).then(|| Segment::Long(length, behind_marks.to_owned()));
    }
    let stars = part.strip_prefix('.')?;
    (!stars.is_empty() && stars.bytes().all(|byte| byte == b'*')).then_some(Segment::Hidden)
}

/// Makes the expression of one part.
#[derive(Default)]
struct Compiler {
    alternatives: Vec<Vec<Token>>,
    tokens: Vec<Token>,
    is_magic: bool,
    has_property: bool,
    /// Whether the expression is none where letters are code points.
    has_bad_escape: bool,
}

impl Compiler {
    fn compile(mut self, part: &str) -> Result<Segment, Problem> {
        let units: Vec<u16> = part.encode_utf16().collect();
        let mut bodies: Vec<class::Body> = Vec::new();
        let mut at = 0;
        let mut in_star = false;
        while let Some(&unit) = units.get(at) {
            at += 1;
            let was_in_star = std::mem::replace(&mut in_star, unit == u16::from(b'*'));
            match char::from_u32(unit.into()) {
                Some('*') => {
                    self.is_magic = true;
                    if !was_in_star {
                        self.tokens.push(Token::Many);
                    }
                }
                Some('\\') => match units.get(at) {
                    Some(&escaped) => {
                        at += 1;
                        self.escaped(escaped);
                    }
                    None => self.tokens.push(Token::Letter(unit.into())),
                },
                Some('[') => match class::parse(&units, at) {
                    Class::None => self.letter(unit),
                    Class::Letter(letter, length) => {
                        at += length;
                        self.letter(letter);
                    }
                    Class::Never => {
                        self.is_magic = true;
                        self.tokens.push(Token::Never);
                        break;
                    }
                    Class::Body(body, length) => {
                        at += length;
                        self.is_magic = true;
                        self.has_property |= body.has_property();
                        // Its letters are read once it is known what letters are.
                        bodies.push(body);
                        self.tokens.push(Token::Set(Set::default()));
                    }
                },
                Some('?') => {
                    self.is_magic = true;
                    self.tokens.push(Token::One);
                }
                _ => self.letter(unit),
            }
        }
        if !self.is_magic {
            return Ok(self.name());
        }
        self.expression(bodies).map(Segment::Expression)
    }

    /// A letter that the original escapes for the regular expression.
    fn letter(&mut self, unit: u16) {
        let letter = char::from_u32(unit.into());
        let is_refused = |letter| matches!(letter, '-' | ',' | '#') || is_space(letter);
        self.has_bad_escape |= letter.is_some_and(is_refused);
        self.tokens.push(Token::Letter(unit.into()));
    }

    /// A letter behind a backslash, of which the original escapes fewer.
    fn escaped(&mut self, unit: u16) {
        self.has_bad_escape |= unit == u16::from(b'!');
        if unit == u16::from(b'|') {
            self.alternatives.push(std::mem::take(&mut self.tokens));
        } else {
            self.tokens.push(Token::Letter(unit.into()));
        }
    }

    /// The name that the tokens are, all letters.
    fn name(mut self) -> Segment {
        self.alternatives.push(self.tokens);
        let bar = [u16::from(b'|')];
        let alternatives: Vec<Vec<u16>> = self
            .alternatives
            .iter()
            .map(|tokens| tokens.iter().filter_map(Token::unit).collect())
            .collect();
        let units = alternatives.join(&bar[..]);
        String::from_utf16(&units).map_or_else(
            // Half a character is in no name.
            |_| Segment::Expression(Expression::never()),
            Segment::Name,
        )
    }

    fn expression(mut self, bodies: Vec<class::Body>) -> Result<Expression, Problem> {
        self.alternatives.push(self.tokens);
        let by_code_point = self.has_property;
        if by_code_point && self.has_bad_escape {
            return Err(Problem::Class);
        }
        let mut bodies = bodies.into_iter();
        for token in self.alternatives.iter_mut().flatten() {
            if let Token::Set(set) = token
                && let Some(body) = bodies.next()
            {
                *set = body.resolve(by_code_point).ok_or(Problem::Class)?;
            }
        }
        let refuses_dots = self.alternatives.first().is_some_and(|first| {
            let dots = first.iter().take(2).take_while(|token| token.is_dot());
            let behind = first.get(dots.count());
            behind.is_some_and(Token::starts_with_bracket)
        });
        if by_code_point {
            for tokens in &mut self.alternatives {
                *tokens = join_surrogates(std::mem::take(tokens));
            }
        }
        Ok(Expression {
            alternatives: self.alternatives,
            by_code_point,
            refuses_dots,
        })
    }
}

impl Token {
    fn unit(&self) -> Option<u16> {
        match self {
            Self::Letter(unit) => u16::try_from(*unit).ok(),
            _ => None,
        }
    }

    fn is_dot(&self) -> bool {
        matches!(self, Self::Letter(letter) if *letter == u32::from('.'))
    }

    /// Whether the regular expression for it starts with `[`, from which minimatch tells that it may match a dot.
    fn starts_with_bracket(&self) -> bool {
        match self {
            Self::One | Self::Many => true,
            Self::Set(set) => set.starts_with_bracket(),
            Self::Letter(_) | Self::Never => false,
        }
    }

    fn matches(&self, letter: u32) -> bool {
        match self {
            Self::Letter(own) => *own == letter,
            Self::One => true,
            Self::Set(set) => set.contains(letter),
            Self::Many | Self::Never => false,
        }
    }
}

fn join_surrogates(tokens: Vec<Token>) -> Vec<Token> {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        if let (Some(Token::Letter(high)), Token::Letter(low)) = (joined.last_mut(), &token)
            && let Some(letter) = class::pair(*high, *low)
        {
            *high = letter;
        } else {
            joined.push(token);
        }
    }
    joined
}

impl Expression {
    fn never() -> Self {
        Self {
            alternatives: vec![vec![Token::Never]],
            by_code_point: false,
            refuses_dots: false,
        }
    }

    fn matches(&self, name: &str) -> bool {
        if name.is_ascii() {
            self.search(name, name.as_bytes())
        } else if self.by_code_point {
            self.search(name, &name.chars().map(u32::from).collect::<Vec<_>>())
        } else {
            self.search(name, &name.encode_utf16().collect::<Vec<_>>())
        }
    }

    fn search<L: Copy + Into<u32>>(&self, name: &str, letters: &[L]) -> bool {
        let last = self.alternatives.len().saturating_sub(1);
        let mut alternatives = self.alternatives.iter().enumerate();
        alternatives.any(|(index, tokens)| {
            !(index == 0 && self.refuses_dots && is_dots(name))
                && runs(tokens, letters, index > 0, index < last)
        })
    }
}

/// Whether the tokens match the letters, with any letters before or behind where that is allowed.
fn runs<L: Copy + Into<u32>>(tokens: &[Token], letters: &[L], before: bool, behind: bool) -> bool {
    let (mut token, mut at) = (0, 0);
    // Where to go on after the last `*`, and how much it took.
    let mut back = before.then_some((0, 0));
    loop {
        let matched = match tokens.get(token) {
            Some(Token::Many) => {
                token += 1;
                back = Some((token, at));
                continue;
            }
            Some(found) => letters
                .get(at)
                .is_some_and(|letter| found.matches((*letter).into())),
            None if behind || at == letters.len() => return true,
            None => false,
        };
        if matched {
            token += 1;
            at += 1;
        } else if let Some((after, taken)) = back
            && taken < letters.len()
        {
            back = Some((after, taken + 1));
            (token, at) = (after, taken + 1);
        } else {
            return false;
        }
    }
}
