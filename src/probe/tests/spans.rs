//! Spans, tower layers and explicit scopes charge the same program alike.

mod support;

use std::convert::Infallible;

use heapsoak_probe::{Component, Context, Probe, RequestKind, SpanLayer, count, heap};
use heapsoak_record::ContextHeap;
use support::{assert_adds_up, context};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tracing::{Instrument, info_span};
use tracing_subscriber::layer::SubscriberExt;

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static VERIFIER: Component = Component::new("verifier");
static STORE: Component = Component::new("store");

type Kept = Vec<Vec<u8>>;

/// The program: it keeps some, frees some, yields, lets a buffer grow, spawns.
async fn verify(seed: usize, stored: impl Future<Output = Vec<u8>>) -> Kept {
    let mut kept = Vec::with_capacity(3);
    kept.push(vec![1_u8; 300 + seed]);
    tokio::task::yield_now().await;
    drop(std::hint::black_box(vec![2_u8; 5_000]));
    kept[0].reserve_exact(1_000);
    kept.push(stored.await);
    kept.push(heapsoak_probe::spawn(async move { vec![3_u8; 40 + seed] }).await.expect("it can't fail"));
    kept
}

async fn store(seed: usize) -> Vec<u8> {
    let kept = vec![4_u8; 70 + seed];
    tokio::task::yield_now().await;
    drop(std::hint::black_box(vec![5_u8; 700]));
    kept
}

const REQUESTS: usize = 100;

fn kind(name: &str) -> RequestKind {
    RequestKind::named(name)
}

async fn by_scopes(name: &str, kept: &mut Vec<Kept>) {
    for seed in 0..REQUESTS {
        let request = Context::current().with_kind(kind(name));
        let _kind = kind(name).enter();
        let verified = VERIFIER.charge(async move {
            let stored = STORE.charge(store(seed));
            verify(seed, stored).await
        });
        drop(_kind);
        kept.push(request.charge(verified).await);
    }
}

async fn by_layers(name: &str, kept: &mut Vec<Kept>) {
    let inner = ServiceBuilder::new()
        .layer(STORE.layer())
        .service(service_fn(|seed: usize| async move { Ok::<_, Infallible>(store(seed).await) }));
    let mut service = ServiceBuilder::new().layer(heapsoak_probe::layer()).layer(VERIFIER.layer()).service(
        service_fn(move |request: http::Request<usize>| {
            let mut inner = inner.clone();
            async move {
                let seed = *request.body();
                let stored = async move { inner.call(seed).await.expect("it can't fail") };
                Ok::<_, Infallible>(verify(seed, stored).await)
            }
        }),
    );
    for seed in 0..REQUESTS {
        let request = http::Request::builder().header("heapsoak-kind", name).body(seed).expect("it is valid");
        kept.push(service.ready().await.expect("it can't fail").call(request).await.expect("it can't fail"));
    }
}

async fn by_spans(name: &str, kept: &mut Vec<Kept>) {
    for seed in 0..REQUESTS {
        let request = Context::current().with_kind(kind(name));
        let verified = request.charge(async move {
            async move {
                let stored = async move { store(seed).await }.instrument(info_span!("store"));
                verify(seed, stored).await
            }
            .instrument(info_span!("verifier"))
            .await
        });
        kept.push(verified.await);
    }
}

fn figures(context: &ContextHeap) -> [u64; 4] {
    [context.allocated_bytes, context.allocated_blocks, context.freed_bytes, context.freed_blocks]
}

#[test]
fn spans_layers_and_explicit_scopes_give_the_same_numbers() {
    count();
    let subscriber = tracing_subscriber::registry().with(SpanLayer::new());
    tracing::subscriber::set_global_default(subscriber).expect("the test can go on");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("the test can go on");
    runtime.block_on(async {
        let mut kept: Vec<Kept> = Vec::with_capacity(6 * REQUESTS);
        // The first requests of all make what the runtime and the registry of spans keep.
        by_scopes("warm-up", &mut kept).await;
        by_layers("warm-up", &mut kept).await;
        by_spans("warm-up", &mut kept).await;

        by_scopes("scopes", &mut kept).await;
        by_layers("layers", &mut kept).await;
        by_spans("spans", &mut kept).await;
        let snapshot = heap();
        assert_adds_up(&snapshot);
        for path in ["verifier", "verifier/store"] {
            let by = |name| figures(&context(&snapshot, path, Some(name)));
            assert!(by("scopes")[1] >= 100, "{path}: {:?}", by("scopes"));
            assert_eq!(by("scopes"), by("layers"), "{path}");
            assert_eq!(by("scopes"), by("spans"), "{path}");
        }
        drop(kept);
        let snapshot = heap();
        for (path, name) in [("verifier", "spans"), ("verifier/store", "spans"), ("verifier", "layers")] {
            assert_eq!(context(&snapshot, path, Some(name)).live_bytes(), 0, "{path} {name}");
        }
        assert_eq!(Context::current(), Context::default());
    });

    // A span is charged to its parent's path on whichever thread it is entered.
    let parent = info_span!("parent");
    let child = info_span!(parent: &parent, "child");
    let block =
        std::thread::spawn(move || child.in_scope(|| vec![1_u8; 123])).join().expect("the test can go on");
    let root = parent.in_scope(|| info_span!(parent: None, "root").in_scope(|| vec![1_u8; 45]));
    let snapshot = heap();
    assert_eq!(context(&snapshot, "parent/child", None).live_bytes(), 123);
    assert_eq!(context(&snapshot, "root", None).live_bytes(), 45);
    drop((block, root));
}
