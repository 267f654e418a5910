//! Patterns of the payload, in one automaton that is built once and shared by all runs.

use std::sync::{Mutex, PoisonError};

use regex_automata::meta::{Cache, Config, Regex};
use regex_automata::{Input, MatchKind};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, Look};
use serde::Deserialize;

use crate::{PayloadError, payload};

/// Patterns of one payload.
const PATTERNS_MAX: usize = 32;

/// Bytes of one regular expression.
const REGEX_MAX: usize = 1024;

/// Bytes that a pattern may match at most: what a run must keep back to see a match whole.
const MATCH_MAX: usize = 4096;

/// Memory of the compiled automaton, and of the states that a run makes of it on the way, in bytes.
const AUTOMATON_MAX: usize = 2 << 20;
const CACHE_MAX: usize = 4 << 20;

/// Caches kept for the next run.
const POOL_MAX: usize = 8;

/// A pattern of the payload.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pattern {
    /// What mode `replace` puts between brackets, in capitals: a letter, then letters, digits, `_`, `-`; at most 32.
    name: String,
    /// A regular expression in the syntax of Rust's `regex` crate, over bytes: `\d`, `\w` and `\b` are ASCII.
    regex: String,
}

/// The compiled patterns.
pub(super) struct Custom {
    regex: Regex,
    tags: Vec<String>,
    longest: usize,
    pool: Mutex<Vec<Cache>>,
}

/// A match: its range and the index of its pattern.
pub(super) type Found = (usize, usize, usize);

impl Custom {
    /// Compiles the patterns; `None` when there are none.
    pub(super) fn build(patterns: &[Pattern]) -> Result<Option<Self>, PayloadError> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let refuse = |path: String, message: String| payload::error("redact", &path, message);
        if patterns.len() > PATTERNS_MAX {
            return Err(refuse("patterns".into(), format!("has more than {PATTERNS_MAX} entries")));
        }
        let (mut hirs, mut tags, mut longest) = (Vec::new(), Vec::new(), 0);
        for (i, pattern) in patterns.iter().enumerate() {
            if !is_name(&pattern.name) {
                let rule = "must be a letter, then letters, digits, `_` and `-`, at most 32 in all";
                return Err(refuse(format!("patterns[{i}].name"), rule.into()));
            }
            let (hir, length) =
                parse(&pattern.regex).map_err(|message| refuse(format!("patterns[{i}].regex"), message))?;
            hirs.push(hir);
            tags.push(pattern.name.to_uppercase());
            longest = longest.max(length);
        }
        let config = Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .utf8_empty(false)
            .nfa_size_limit(Some(AUTOMATON_MAX))
            .hybrid_cache_capacity(CACHE_MAX);
        let regex = Regex::builder()
            .configure(config)
            .build_many_from_hir(&hirs)
            .map_err(|e| refuse("patterns".into(), format!("cannot be compiled together: {e}")))?;
        Ok(Some(Self { regex, tags, longest, pool: Mutex::default() }))
    }

    /// Bytes of the longest possible match.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The tag of pattern `i` in mode `replace`.
    pub(super) fn tag(&self, i: usize) -> &str {
        self.tags.get(i).map_or("PATTERN", String::as_str)
    }

    /// A cache for [`find`](Self::find), warm if a run before gave one back.
    pub(super) fn take_cache(&self) -> Cache {
        let kept = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| self.regex.create_cache())
    }

    /// Gives a cache back.
    pub(super) fn give_cache(&self, cache: Cache) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < POOL_MAX {
            pool.push(cache);
        }
    }

    /// The first match that begins at `from` or later; what stands before `from` counts for `\b` and `^`.
    pub(super) fn find(&self, cache: &mut Cache, buf: &[u8], from: usize) -> Option<Found> {
        let input = Input::new(buf).range(from.min(buf.len())..);
        let found = self.regex.search_with(cache, &input)?;
        Some((found.start(), found.end(), found.pattern().as_usize()))
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// The expression and the length of its longest match.
fn parse(regex: &str) -> Result<(Hir, usize), String> {
    if regex.len() > REGEX_MAX {
        return Err(format!("is longer than {REGEX_MAX} bytes"));
    }
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).nest_limit(64).build();
    let hir = parser.parse(regex).map_err(|e| format!("is not a regular expression: {e}"))?;
    let properties = hir.properties();
    let looks = properties.look_set();
    if looks.contains(Look::Start) || looks.contains(Look::End) {
        return Err("is anchored to the whole object: for lines write (?m) before ^ and $".into());
    }
    match (properties.minimum_len(), properties.maximum_len()) {
        (None, _) => Err("can never match".into()),
        (Some(0), _) => Err("can match nothing at all".into()),
        (Some(_), Some(longest)) if longest <= MATCH_MAX => Ok((hir, longest)),
        (Some(_), Some(longest)) => Err(format!("can match {longest} bytes, more than {MATCH_MAX}")),
        (Some(_), None) => Err(format!(
            "can match more than {MATCH_MAX} bytes: bound its repetitions, as in \\d{{1,20}} instead of \\d+"
        )),
    }
}
