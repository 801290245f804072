//! Seats reserved over gRPC, behind tonic. Started with `EXAMPLE_LEAK=1`, a reservation of no seats is kept for ever.

use std::alloc::System;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use heapsoak_probe::{Component, Probe};
use proto::seats_server::{Seats, SeatsServer};
use proto::{Reply, Reservation};
use tonic::{Request, Response, Status};

/// What `build.rs` makes of `seats.proto`.
mod proto {
    #![allow(
        missing_docs,
        unreachable_pub,
        unused_qualifications,
        clippy::pedantic,
        reason = "it is generated"
    )]
    tonic::include_proto!("seats");
}

#[global_allocator]
static ALLOCATOR: Probe<System> = Probe::new(System);

static SEATS: Component = Component::new("seats");

/// Most reservations kept; the oldest go first.
const CAPACITY: usize = 100;

#[derive(Debug)]
struct Theatre {
    reserved: Mutex<VecDeque<Reservation>>,
    /// What a forgetful programmer keeps "to look at later".
    rejected: Mutex<Vec<String>>,
    leaks: bool,
}

#[tonic::async_trait]
impl Seats for Theatre {
    async fn reserve(&self, request: Request<Reservation>) -> Result<Response<Reply>, Status> {
        let reservation = request.into_inner();
        if reservation.seats == 0 {
            if self.leaks {
                self.rejected.lock().expect("no thread panics").push(reservation.name);
            }
            return Err(Status::invalid_argument("that is no seat at all"));
        }
        let mut reserved = self.reserved.lock().expect("no thread panics");
        reserved.push_back(reservation);
        if reserved.len() > CAPACITY {
            reserved.pop_front();
        }
        Ok(Response::new(Reply { reserved: reserved.iter().map(|reservation| reservation.seats).sum() }))
    }
}

#[tokio::main]
async fn main() -> Result<(), tonic::transport::Error> {
    heapsoak_probe::start();
    let theatre = Theatre {
        reserved: Mutex::default(),
        rejected: Mutex::default(),
        leaks: std::env::var_os("EXAMPLE_LEAK").is_some(),
    };
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8080);
    tonic::transport::Server::builder()
        .layer(heapsoak_probe::layer())
        .layer(SEATS.layer())
        .add_service(SeatsServer::new(theatre))
        .serve(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await
}
