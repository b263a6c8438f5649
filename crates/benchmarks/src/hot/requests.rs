//! Whole requests through the router, from its first layer to the last byte of the answer.

use std::path::Path;

use hyper::{Request, header, http::request::Builder};
use kernel::ExposeSecret;
use tokens::Algorithm;

use super::{Run, world::World};

const FORM: &str = "application/x-www-form-urlencoded";

fn post(path: &str) -> Builder {
    Request::post(path).header(header::CONTENT_TYPE, FORM)
}

pub(super) fn health(folder: &Path) -> anyhow::Result<Run> {
    let world = World::open(folder, Algorithm::Es256)?;
    Ok(Box::new(move || world.answered(Request::get("/health").body(String::new())?)))
}

pub(super) fn token(folder: &Path) -> anyhow::Result<Run> {
    let world = World::open(folder, Algorithm::Es256)?;
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=agents%3Aread",
        world.id, world.secret
    );
    world.client()?;
    Ok(Box::new(move || world.answered(post("/api/v1/token").body(form.clone())?)))
}

pub(super) fn introspect(folder: &Path) -> anyhow::Result<Run> {
    let world = World::open(folder, Algorithm::Es256)?;
    let token = world.token()?;
    let bearer = format!("Bearer {}", token.expose_secret());
    let form = format!("token={}", token.expose_secret());
    Ok(Box::new(move || {
        let request = post("/api/v1/token/introspect").header(header::AUTHORIZATION, &bearer);
        world.answered(request.body(form.clone())?)
    }))
}

pub(super) fn agent(folder: &Path) -> anyhow::Result<Run> {
    let world = World::open(folder, Algorithm::Es256)?;
    let bearer = format!("Bearer {}", world.token()?.expose_secret());
    let path = format!("/api/v1/agents/{}", world.id);
    Ok(Box::new(move || {
        let request = Request::get(&path).header(header::AUTHORIZATION, &bearer);
        world.answered(request.body(String::new())?)
    }))
}
