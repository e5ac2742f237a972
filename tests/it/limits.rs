//! What one client may ask of the program, and what becomes of one that asks for more.

mod abuse;
mod connections;
mod throttle;
