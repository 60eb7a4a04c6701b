//! Why and how soon a process is to end.

use std::time::Duration;

use tokio::sync::watch;

use crate::system::stop::Stop;

/// Why a process is ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The run was asked to stop by this signal.
    Signal(u8),
    /// Another stage failed, and nothing else is to be done.
    OtherFailed,
    /// Nobody needs it any more.
    NotNeeded,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signal(signal) => write!(formatter, "stopped by signal {signal}"),
            Self::OtherFailed => formatter.write_str("stopped because another stage failed"),
            Self::NotNeeded => formatter.write_str("stopped because it is needed no more"),
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Order {
    reason: Option<Reason>,
    grace: Option<Duration>,
    is_urgent: bool,
}

/// Gives the order to end. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Halter {
    order: watch::Sender<Order>,
}

/// Waits for the order to end: from a [`Halter`], or from a signal. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Halt {
    order: watch::Receiver<Order>,
    stop: Stop,
    /// Whether the first signal is none of its business.
    is_last: bool,
    /// The longest grace after a signal.
    cancel_grace: Option<Duration>,
}

/// An order to give, and those who wait for it or for a signal that `stop` tells of.
pub fn halting(stop: Stop) -> (Halter, Halt) {
    let (sender, order) = watch::channel(Order::default());
    let halt = Halt {
        order,
        stop,
        is_last: false,
        cancel_grace: None,
    };
    (Halter { order: sender }, halt)
}

impl Halter {
    /// Everybody ends, each with its own grace. The first reason stays.
    pub fn halt(&self, reason: Reason) {
        self.order.send_modify(|order| {
            order.reason.get_or_insert(reason);
        });
    }

    /// The same, with this grace and no longer.
    pub fn halt_within(&self, reason: Reason, grace: Duration) {
        self.order.send_modify(|order| {
            order.reason.get_or_insert(reason);
            order.grace = Some(order.grace.map_or(grace, |shorter| shorter.min(grace)));
        });
    }

    /// Everybody ends at once.
    pub fn hurry(&self, reason: Reason) {
        self.order.send_modify(|order| {
            order.reason.get_or_insert(reason);
            order.is_urgent = true;
        });
    }
}

impl Halt {
    /// For what is to run after a stop, such as cleaning up: of the signals, only the second one ends it.
    #[must_use]
    pub fn last(mut self) -> Self {
        self.is_last = true;
        self
    }

    /// After a signal nobody has more grace than this, whenever the signal comes: also who is being ended already.
    #[must_use]
    pub fn cancelled_within(mut self, grace: Duration) -> Self {
        self.cancel_grace = Some(grace);
        self
    }

    /// Why it is to end, if it is.
    pub fn reason(&self) -> Option<Reason> {
        let signal = self.stop.signal().map(Reason::Signal);
        let signal = signal.filter(|_| !self.is_last || self.stop.is_repeated());
        self.order.borrow().reason.or(signal)
    }

    /// Whether there is no time for grace: a second signal came, or somebody [hurries](Halter::hurry).
    pub fn is_urgent(&self) -> bool {
        self.order.borrow().is_urgent || self.stop.is_repeated()
    }

    /// The grace that a process has as things are, which would have this one and was asked to end so long ago.
    pub(super) fn grace(&self, own: Duration, asked: Duration) -> Duration {
        let ordered = self.order.borrow().grace;
        let grace = ordered.map_or(own, |limit| limit.min(own));
        match (self.cancel_grace, self.stop.since()) {
            (Some(limit), Some(since)) => {
                grace.min(limit.saturating_add(asked.saturating_sub(since)))
            }
            _ => grace,
        }
    }

    /// Waits until somebody says more about when it is to end.
    pub(super) async fn said_more(&mut self) {
        self.changed().await;
    }

    /// Waits until it is to end.
    pub async fn requested(&mut self) -> Reason {
        loop {
            if let Some(reason) = self.reason() {
                return reason;
            }
            self.changed().await;
        }
    }

    /// Waits until there is no time for grace.
    pub async fn urgent(&mut self) {
        while !self.is_urgent() {
            self.changed().await;
        }
    }

    async fn changed(&mut self) {
        let ordered = async {
            if self.order.changed().await.is_err() {
                // Nobody is left to give an order.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = ordered => {}
            () = self.stop.changed() => {}
        }
    }
}
