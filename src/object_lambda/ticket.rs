//! Tickets: each lets one function answer one request, once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;

use crate::error::ApiError;
use crate::function::metering::Traffic;
use crate::store::ByteStream;

/// Bytes by which a ticket is found, and bytes that prove it.
const ID: usize = 12;
const PROOF: usize = 32;

/// What a function answers.
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// The error to render instead of a body.
    pub error: Option<ApiError>,
    /// The body.
    pub body: ByteStream,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A function's answer, or why it was none.
pub type Outcome = Result<Reply, ApiError>;

#[derive(Debug)]
struct Waiting {
    proof: [u8; PROOF],
    function: String,
    lens: String,
    traffic: Arc<Traffic>,
    reply: oneshot::Sender<Outcome>,
}

/// A ticket that was taken in.
#[derive(Debug)]
pub struct Redeemed {
    /// Where the answer goes.
    pub reply: oneshot::Sender<Outcome>,
    /// Counts its bytes.
    pub traffic: Arc<Traffic>,
}

/// The tickets that are out.
#[derive(Debug, Clone, Default)]
pub struct Tickets(Arc<Mutex<HashMap<[u8; ID], Waiting>>>);

/// A ticket, which ends with this value.
#[derive(Debug)]
pub struct Ticket {
    /// What the function is given.
    pub token: String,
    id: [u8; ID],
    tickets: Tickets,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.tickets.all().remove(&self.id);
    }
}

impl Tickets {
    fn all(&self) -> MutexGuard<'_, HashMap<[u8; ID], Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A ticket for a function and the lens of this ARN that asks it, and where its answer comes.
    ///
    /// # Errors
    /// No random bytes.
    pub fn issue(
        &self,
        function: &str,
        lens: String,
        traffic: &Arc<Traffic>,
    ) -> Result<(Ticket, oneshot::Receiver<Outcome>), ApiError> {
        let mut bytes = [0_u8; ID + PROOF];
        getrandom::fill(&mut bytes)
            .map_err(|error| ApiError::internal(format!("no random bytes: {error}")))?;
        let (mut id, mut proof) = ([0_u8; ID], [0_u8; PROOF]);
        id.copy_from_slice(bytes.get(..ID).unwrap_or_default());
        proof.copy_from_slice(bytes.get(ID..).unwrap_or_default());
        let (reply, answer) = oneshot::channel();
        let waiting =
            Waiting { proof, function: function.to_owned(), lens, traffic: Arc::clone(traffic), reply };
        self.all().insert(id, waiting);
        let token = BASE64URL_NOPAD.encode(&bytes);
        Ok((Ticket { token, id, tickets: self.clone() }, answer))
    }

    /// The ARN of the lens whose request a ticket answers, while that waits.
    #[must_use]
    pub fn lens_of(&self, token: &str) -> Option<String> {
        let (id, proof) = split(token)?;
        let all = self.all();
        let waiting = all.get(&id).filter(|waiting| proves(waiting, &proof))?;
        Some(waiting.lens.clone())
    }

    /// Takes a ticket in. `function` is who presents it, where that is known; one that is another's stays out.
    #[must_use]
    pub fn redeem(&self, token: &str, function: Option<&str>) -> Option<Redeemed> {
        let (id, proof) = split(token)?;
        let mut all = self.all();
        let waiting = all.get(&id)?;
        let mine = function.is_none_or(|function| function == waiting.function);
        if !mine || !proves(waiting, &proof) {
            return None;
        }
        all.remove(&id).map(|Waiting { reply, traffic, .. }| Redeemed { reply, traffic })
    }
}

fn split(token: &str) -> Option<([u8; ID], Vec<u8>)> {
    let mut bytes =
        BASE64URL_NOPAD.decode(token.as_bytes()).ok().filter(|bytes| bytes.len() == ID + PROOF)?;
    let proof = bytes.split_off(ID);
    Some((bytes.try_into().ok()?, proof))
}

fn proves(waiting: &Waiting, proof: &[u8]) -> bool {
    waiting.proof.as_slice().ct_eq(proof).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_for_its_function() {
        let tickets = Tickets::default();
        let (ticket, _answer) = tickets.issue("f", "arn".into(), &Arc::default()).unwrap();
        let mut forged = ticket.token.clone().into_bytes();
        let last = forged.len() - 2;
        forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
        assert!(tickets.redeem(std::str::from_utf8(&forged).unwrap(), Some("f")).is_none());
        assert!(tickets.lens_of(std::str::from_utf8(&forged).unwrap()).is_none());
        assert_eq!(tickets.lens_of(&ticket.token).as_deref(), Some("arn"));
        assert!(tickets.redeem(&ticket.token, Some("g")).is_none());
        assert!(tickets.redeem("", None).is_none() && tickets.redeem("!", None).is_none());
        assert!(tickets.redeem(&ticket.token, Some("f")).is_some());
        assert!(
            tickets.redeem(&ticket.token, Some("f")).is_none() && tickets.lens_of(&ticket.token).is_none()
        );
        let (other, _answer) = tickets.issue("f", "arn".into(), &Arc::default()).unwrap();
        let token = other.token.clone();
        drop(other);
        assert!(tickets.redeem(&token, None).is_none());
    }
}
