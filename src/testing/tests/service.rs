//! An axum router, soaked without a socket.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum::{Router, response::IntoResponse};
use heapsoak_probe::Component;
use heapsoak_testing::Soak;
use heapsoak_verdict::RunVerdict;

heapsoak_testing::allocator!();

static CATALOGUE: Component = Component::new("catalogue");

type Seen = Arc<Mutex<Vec<String>>>;

async fn look_up(State(seen): State<Seen>, Path(key): Path<String>) -> impl IntoResponse {
    if key.starts_with("unknown") {
        seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(key.repeat(4));
        return StatusCode::NOT_FOUND;
    }
    StatusCode::OK
}

fn app() -> Router {
    let routes = Router::new().route("/catalogue/{key}", get(look_up)).route_layer(CATALOGUE.layer());
    routes.with_state(Seen::default()).layer(heapsoak_probe::layer())
}

fn request(key: &str, kind: &str) -> Request<Body> {
    let request = Request::get(format!("/catalogue/{key}")).header("heapsoak-kind", kind);
    request.body(Body::empty()).expect("the parts are valid")
}

#[test]
fn a_router_that_keeps_nothing_passes() {
    Soak::new("known keys")
        .iterations(1_000)
        .components(["catalogue"])
        .run_service(app(), |_| request("known", "catalogue.known"), |answer| answer.status() == 200)
        .assert_no_leak();
}

#[test]
fn an_error_path_that_keeps_its_key_is_named_by_component_and_kind() {
    let kind = |number: u64| if number.is_multiple_of(4) { "unknown" } else { "known" };
    let soaked = Soak::new("unknown keys").iterations(2_000).run_service(
        app(),
        |number| request(&format!("{}-{number}", kind(number)), &format!("catalogue.{}", kind(number))),
        |answer| [200, 404].contains(&answer.status().as_u16()),
    );
    assert_eq!(soaked.judgement().verdict, RunVerdict::Leak, "{:?}", soaked.judgement().reasons);
    let failure = soaked.failure().expect("it leaks");
    assert!(failure.contains("catalogue grows by"), "{failure}");
    assert!(failure.contains("look_up"), "{failure}");
}

#[test]
fn answers_that_are_not_expected_make_the_soak_invalid() {
    let soaked =
        Soak::new("wrong").run_service(app(), |_| request("unknown", "x"), |answer| answer.status() == 200);
    assert!(soaked.failure().expect("no answer is as expected").contains("can't be judged"));
}
