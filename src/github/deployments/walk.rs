//! Deployments one after the other, newest first, over pages, within limits.

use std::collections::{HashSet, VecDeque};

use crate::github::api::client::{Filter, PAGE};
use crate::github::api::{Client, Fault};
use crate::github::deployments::Deployment;

/// So many requests of the rate limit are left to others.
const RESERVE: u64 = 50;

/// Why no more deployments were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There are no more, or none that could matter.
    All,
    /// So many were looked at as were allowed.
    Depth,
    /// Little is left of the rate limit.
    RateLimit,
}

/// A walk over deployments.
pub(super) struct Walk<'c> {
    client: &'c Client,
    filter: Filter,
    next_page: u32,
    is_last: bool,
    waiting: VecDeque<Deployment>,
    seen: HashSet<u64>,
    depth: usize,
    reserve: u64,
    end: End,
}

impl<'c> Walk<'c> {
    /// At most `depth` deployments, fewer where the rate limit comes near.
    pub fn new(client: &'c Client, filter: Filter, depth: usize) -> Self {
        Self {
            client,
            filter,
            next_page: 1,
            is_last: false,
            waiting: VecDeque::new(),
            seen: HashSet::new(),
            depth,
            reserve: RESERVE,
            end: End::All,
        }
    }

    /// All of them, whatever it costs.
    pub fn thorough(client: &'c Client, filter: Filter) -> Self {
        Self {
            reserve: 0,
            ..Self::new(client, filter, usize::MAX)
        }
    }

    /// The next one.
    pub async fn next(&mut self) -> Result<Option<Deployment>, Fault> {
        if self.seen.len() >= self.depth {
            self.end = End::Depth;
            return Ok(None);
        }
        let is_short = |left| left < self.reserve;
        if self.client.remaining().is_some_and(is_short) {
            self.end = End::RateLimit;
            return Ok(None);
        }
        while self.waiting.is_empty() && !self.is_last {
            let page = self
                .client
                .deployments(&self.filter, self.next_page)
                .await?;
            self.is_last = page.len() < usize::from(PAGE);
            self.next_page += 1;
            // New ones at the top push others onto the next page.
            let seen = &self.seen;
            self.waiting
                .extend(page.into_iter().filter(|one| !seen.contains(&one.id)));
        }
        let next = self.waiting.pop_front();
        self.seen.extend(next.as_ref().map(|one| one.id));
        Ok(next)
    }

    /// How many were looked at.
    pub fn looked_at(&self) -> usize {
        self.seen.len()
    }

    /// Why there are no more.
    pub fn end(&self) -> End {
        self.end
    }
}
