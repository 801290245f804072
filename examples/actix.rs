//! A shop on actix-web, which has its own middleware instead of tower's. Started with `EXAMPLE_LEAK=1`, an order for
//! something that is not sold stays in the list of open orders.

use std::alloc::System;
use std::collections::HashMap;
use std::sync::Mutex;

use actix_web::dev::Service as _;
use actix_web::{App, HttpResponse, HttpServer, web};
use heapsoak_probe::{Component, Context, Probe, RequestKind};

#[global_allocator]
static ALLOCATOR: Probe<System> = Probe::new(System);

static ORDERS: Component = Component::new("orders");

/// Open orders by their number.
#[derive(Debug, Default)]
struct Orders {
    open: HashMap<u64, String>,
    next: u64,
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    heapsoak_probe::start();
    let orders = web::Data::new(Mutex::new(Orders::default()));
    let port: u16 = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8080);
    HttpServer::new(move || {
        App::new()
            .app_data(orders.clone())
            // What heapsoak_probe::layer() does under tower: the kind of the request, from the driver's header.
            .wrap_fn(|request, service| {
                let kind = request.headers().get("heapsoak-kind").and_then(|kind| kind.to_str().ok());
                let context = kind.map_or_else(Context::current, |kind| {
                    Context::current().with_kind(RequestKind::named(kind))
                });
                let _scope = context.enter();
                context.charge(service.call(request))
            })
            .route("/orders/{item}", web::post().to(|item, orders| ORDERS.charge(order(item, orders))))
    })
    .workers(2)
    .bind(("127.0.0.1", port))?
    .run()
    .await
}

async fn order(item: web::Path<String>, orders: web::Data<Mutex<Orders>>) -> HttpResponse {
    let number = {
        let mut orders = orders.lock().expect("no thread panics");
        orders.next += 1;
        let number = orders.next;
        orders.open.insert(number, item.to_string());
        number
    };
    tokio::task::yield_now().await; // ask the warehouse
    let sold = !item.starts_with("unknown");
    if sold || std::env::var_os("EXAMPLE_LEAK").is_none() {
        orders.lock().expect("no thread panics").open.remove(&number);
    }
    if sold { HttpResponse::Created().body(number.to_string()) } else { HttpResponse::NotFound().finish() }
}
