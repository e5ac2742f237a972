//! How much somebody may ask who has not signed in: points out of the bucket of their address, which is the one that the admin
//! API takes from as well.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::app::App;
use crate::http::{ClientAddress, of_address, tell_left};
use crate::throttle::{Credential, Throttled, seconds};

/// Points for what is the same for everybody.
pub(super) const READ: u32 = 50;
/// Points for what has to be worked out.
pub(super) const ASK: u32 = 200;
/// Points for what is written down.
pub(crate) const DO: u32 = 1_000;
/// Points for a try at a promo code: ten at once, and then one every two seconds.
pub(super) const GUESS: u32 = 6_000;

/// Whose allowance it is, for what costs more once it is known what is asked.
#[derive(Clone)]
pub(super) struct Spender {
    app: Arc<App>,
    who: Credential,
}

impl Spender {
    /// Spends more points.
    ///
    /// # Errors
    /// `THROTTLED`.
    pub(super) fn spend(&self, points: u32) -> Result<(), Problem> {
        let Some(throttle) = &self.app.throttle else {
            return Ok(());
        };
        match throttle.spend(&self.who, points, self.app.clock.now()) {
            Ok(_) => Ok(()),
            Err(throttled) => Err(self.refused(&throttled)),
        }
    }

    fn refused(&self, throttled: &Throttled) -> Problem {
        self.app.figures.requests.throttled(throttled.whose);
        let wait = seconds(throttled.retry_after);
        let told = format!("too much was asked from this address; ask again in {wait} s");
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "THROTTLED", told).retry_after(wait)
    }
}

/// Spends what a request costs, or turns it away, and tells what is left then.
pub(crate) async fn spend(
    State((app, points)): State<(Arc<App>, u32)>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = request.extensions().get::<ClientAddress>();
    let who = of_address(address.map(|ClientAddress(address)| *address));
    let spender = Spender {
        app: Arc::clone(&app),
        who: who.clone(),
    };
    let mut response = match spender.spend(points) {
        Ok(()) => {
            request.extensions_mut().insert(spender);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    // Asked once more, for a handler may have spent as well.
    if let Some(throttle) = &app.throttle {
        let left = match throttle.spend(&who, 0, app.clock.now()) {
            Ok(left) => left,
            Err(throttled) => throttled.left,
        };
        tell_left(response.headers_mut(), &left);
    }
    response
}
