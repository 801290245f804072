use std::future::poll_fn;

use tower_service::Service;

/// A service with what it is asked and what it is to answer.
pub(crate) struct Answered<S, Q, E> {
    pub(crate) service: S,
    pub(crate) request: Q,
    pub(crate) expected: E,
}

/// Asks a service once. Answers whether it was as expected.
pub(crate) async fn soak_service<S, Request, Q, E>(answered: &mut Answered<S, Q, E>, number: u64) -> bool
where
    S: Service<Request>,
    Q: FnMut(u64) -> Request,
    E: FnMut(&S::Response) -> bool,
{
    let Answered { service, request, expected } = answered;
    if poll_fn(|context| service.poll_ready(context)).await.is_err() {
        return false;
    }
    match service.call(request(number)).await {
        Ok(answer) => expected(&answer),
        Err(_) => false,
    }
}
