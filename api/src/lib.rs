//! The program `hibachi`: GraphQL, sign-in, health and the command line over the write and the read side.
//!
//! The composition root: every other crate meets here and nowhere else.

pub mod app;
pub mod auth;
mod calendar;
pub mod checking;
pub mod cli;
pub mod demo;
mod doctor;
pub mod documents;
mod filing;
pub mod graphql;
pub mod http;
pub mod installation;
pub mod live;
mod log_check;
pub mod observing;
mod rest;
mod reviews;
pub mod signing;
pub mod tax_closing;
pub mod throttle;
pub mod webhooks;
