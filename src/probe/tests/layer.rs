//! The tower layers charge requests as explicit scopes would.
#![cfg(feature = "tower")]

mod support;

use std::convert::Infallible;

use heapsoak_probe::{Component, Context, Probe, count, heap};
use support::context;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static VERIFIER: Component = Component::new("verifier");
static CALLER: Component = Component::new("caller");

fn request(kind: Option<&str>) -> http::Request<()> {
    let mut request = http::Request::builder();
    if let Some(kind) = kind {
        request = request.header("heapsoak-kind", kind);
    }
    request.body(()).expect("the test can go on")
}

#[test]
fn a_request_is_charged_to_its_component_and_kind_and_so_is_a_task_it_spawns() {
    count();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(charge_requests());
}

async fn charge_requests() {
    let handler = |_: http::Request<()>| async {
        let block = vec![0_u8; 300];
        tokio::task::yield_now().await;
        let spawned = heapsoak_probe::spawn(async { vec![0_u8; 40] }).await.expect("it can't fail");
        Ok::<_, Infallible>((block, spawned))
    };
    let mut service = ServiceBuilder::new()
        .layer(heapsoak_probe::layer())
        .layer(VERIFIER.layer())
        .service(service_fn(handler));
    // The first request of all makes what the runtime keeps.
    drop(
        service
            .ready()
            .await
            .expect("it can't fail")
            .call(request(Some("warm-up")))
            .await
            .expect("it can't fail"),
    );
    let mut kept = Vec::with_capacity(8);
    for kind in [Some("verifier.valid"), Some("verifier.valid"), Some("verifier.replayed"), None] {
        kept.push(
            service.ready().await.expect("it can't fail").call(request(kind)).await.expect("it can't fail"),
        );
    }
    let snapshot = heap();
    assert_eq!(context(&snapshot, "verifier", Some("verifier.valid")).live_bytes(), 2 * 340);
    assert_eq!(context(&snapshot, "verifier", Some("verifier.replayed")).live_bytes(), 340);
    assert_eq!(context(&snapshot, "verifier", None).live_bytes(), 340);
    drop(kept);
    assert_eq!(context(&heap(), "verifier", Some("verifier.valid")).live_bytes(), 0);
}

#[tokio::test]
async fn a_blocking_closure_runs_in_the_context_of_its_caller() {
    count();
    let scope = CALLER.enter();
    let (here, there) = (Context::current(), heapsoak_probe::spawn_blocking(Context::current));
    drop(scope);
    assert_eq!(there.await.unwrap(), here);
    assert_ne!(here, Context::current());
}
