//! Notes: events of what changes no record.

use std::collections::BTreeSet;

use audit::{Action, AuditLog, Event, note};
use futures_util::future::join_all;

use crate::{Harness, World, sample};

pub async fn a_note_is_readable_once_it_is_told_of<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    for action in sample::NOTED {
        let event = sample::whole_event(action);
        let id = world.note(&scope, &event).await;
        let read = world.view(&scope).await.event(id).await.unwrap().unwrap().event;
        assert_eq!((read.id, read.organization), (id, scope.organization()));
        assert_eq!(read.agent, scope.actor().agent());
        assert_eq!((read.action, read.outcome), (action, event.outcome()));
        assert_eq!(read.resource.as_ref(), event.resource());
        assert_eq!(&read.origin, scope.origin());
        assert_eq!(&read.metadata, event.metadata());
        assert_eq!(read.used, None);
    }
}

pub async fn a_note_that_says_little_is_read_back_as_it_was_written<H: Harness>() {
    let world = World::<H>::fresh().await;
    let (organization, internal) = (world.machine.organization_id(), tenancy::Origin::internal());
    let scope = tenancy::Scope::new(organization, tenancy::Actor::System, internal);
    let id = world.note(&scope, &Event::success(Action::AuthFailed)).await;
    let read = world.view(&scope).await.event(id).await.unwrap().unwrap().event;
    assert_eq!((read.agent, read.resource, read.used), (None, None, None));
    assert_eq!(read.origin, *scope.origin());
    assert!(read.metadata.is_empty());
}

pub async fn each_of_many_notes_at_once_is_its_own_event<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let events: Vec<_> = (0..200)
        .map(|number| Event::success(Action::TokenIntrospected).with("number", number))
        .collect();
    let notes = events.iter().map(|event| note(world.harness.store(), &scope, event));
    let ids = join_all(notes).await;
    let mut view = world.view(&scope).await;
    let mut distinct = BTreeSet::new();
    for (id, event) in ids.into_iter().zip(&events) {
        let id = id.unwrap();
        assert!(distinct.insert(id));
        let read = view.event(id).await.unwrap().unwrap().event;
        assert_eq!(read.metadata, *event.metadata());
    }
}

/// An event whose id is taken cannot be written: that note fails, and no other.
pub async fn a_note_that_cannot_be_written_fails_alone<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let before = world.events().await.len();
    let event = Event::success(Action::TokenIntrospected);
    let notes = (0..50).map(async |number| {
        if number == 17 {
            world.machine.repeat_itself_once();
        }
        note(world.harness.store(), &scope, &event).await
    });
    let told = join_all(notes).await;
    assert_eq!(told.iter().filter(|told| told.is_err()).count(), 1);
    assert_eq!(world.events().await.len(), before + 49);
}

pub async fn a_note_tells_of_no_change<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let _ = world.machine.heard.take();
    world.note(&scope, &sample::whole_event(Action::AccessDenied)).await;
    assert_eq!(world.machine.heard.take(), []);
}
