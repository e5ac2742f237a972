//! Many who follow at the same time.

use api::live::LiveSettings;
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    CHANGES, Events, OPEN_EVENTS, OPEN_SOCKET, Socket, admin, chefs, figure, figure_becomes, position, with,
};

/// Half of them over sockets, ten subscriptions on each.
const FOLLOWERS: usize = 100;
const ON_EACH: usize = 10;

#[tokio::test]
async fn a_hundred_are_told_everything() {
    let settings = |settings| LiveSettings {
        per_credential: FOLLOWERS,
        ..settings
    };
    let server = with(settings).await;
    let admin = admin(&server).await;
    let mut sockets = Vec::new();
    for _ in 0..FOLLOWERS / 2 / ON_EACH {
        let mut socket = Socket::of(&server, &admin).await;
        for id in 0..ON_EACH {
            socket.follow(&id.to_string(), CHANGES, &json!({})).await;
        }
        socket.settled().await;
        sockets.push(socket);
    }
    let mut streams = Vec::new();
    for _ in 0..FOLLOWERS / 2 {
        streams.push(Events::begun(&admin, CHANGES, &json!({})).await);
    }
    let half = i64::try_from(FOLLOWERS / 2).expect("they are few");
    assert_eq!(
        [
            figure(&server, OPEN_SOCKET).await,
            figure(&server, OPEN_EVENTS).await
        ],
        [half, half]
    );
    let happened = chefs(&server, 0..20).await;
    let mut all = JoinSet::new();
    for mut socket in sockets {
        let happened = happened.clone();
        all.spawn(async move {
            let mut told = vec![Vec::new(); ON_EACH];
            while told.iter().any(|told| told.len() < happened.len()) {
                let said = socket.said().await;
                let id: usize = said["id"]
                    .as_str()
                    .and_then(|id| id.parse().ok())
                    .expect("one of ours");
                told[id].push(position(&super::change(&said["payload"])));
            }
            assert!(told.iter().all(|told| *told == happened));
        });
    }
    for mut events in streams {
        let happened = happened.clone();
        all.spawn(async move {
            for expected in happened {
                assert_eq!(position(&events.change().await), expected);
            }
        });
    }
    while let Some(done) = all.join_next().await {
        done.expect("each is told everything");
    }
    figure_becomes(&server, OPEN_SOCKET, 0).await;
    figure_becomes(&server, OPEN_EVENTS, 0).await;
}
