//! Two launchers of one directory.

use crate::support::{eventually, exists, open_place, query, started};
use embedded_postgres::{PortChoice, Settings, StartError, StopError, start};
use std::thread;

#[test]
fn a_second_start_adopts_the_running_server_and_leaves_it_running() {
    let place = open_place();
    let data = place.path().join("data");
    let first = started(&data);
    let second = started(&data);
    assert!(second.adopted() && !first.adopted());
    assert_eq!((second.pid(), second.port()), (first.pid(), first.port()));
    assert_eq!(second.url("postgres"), first.url("postgres"));
    second.stop().unwrap();
    assert_eq!(query(&first, "select 1"), "1");

    let mut third = started(&data);
    third.check_running().unwrap();
    first.stop().unwrap();
    let gone = third.check_running().unwrap_err();
    assert!(
        matches!(gone, StopError::StoppedUnexpectedly { status: None, .. }),
        "{gone}"
    );
}

#[test]
fn concurrent_starts_of_a_new_directory_make_one_cluster() {
    let place = open_place();
    let data = place.path().join("data");
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let data = data.clone();
            thread::spawn(move || started(&data))
        })
        .collect();
    let servers: Vec<_> = starts.into_iter().map(|start| start.join().unwrap()).collect();
    assert_eq!(servers.iter().filter(|server| !server.adopted()).count(), 1);
    assert!(servers.iter().all(|server| server.pid() == servers[0].pid()));
    assert_eq!(query(&servers[3], "select 1"), "1");
}

#[test]
fn dropping_stops_a_server_that_was_started_here() {
    let place = open_place();
    let server = started(&place.path().join("data"));
    let pid = server.pid().unwrap();
    drop(server);
    eventually("the end of the server", || !exists(pid));
}

#[test]
fn a_server_on_another_port_than_asked_for_is_not_adopted() {
    let place = open_place();
    let data = place.path().join("data");
    let _first = started(&data);
    let refused = start(Settings {
        port: PortChoice::Loopback(1),
        ..Settings::new(&data)
    })
    .unwrap_err();
    assert!(matches!(refused, StartError::DirectoryInUse { .. }), "{refused}");
    assert!(refused.to_string().contains("port 5432"), "{refused}");
}
