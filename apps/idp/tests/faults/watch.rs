//! An outsider who asks for checkpoints all the time, and keeps them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::caller::{Caller, Client};
use crate::departed::{Checkpoint, Departed};
use crate::dice::Dice;
use crate::front::Front;

pub(crate) struct Watch {
    over: Arc<AtomicBool>,
    outsider: JoinHandle<Vec<Checkpoint>>,
}

impl Watch {
    pub(crate) fn start(front: &Arc<Front>, admin: &Client) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (front, admin, ends) = (front.clone(), admin.clone(), over.clone());
        let outsider = thread::spawn(move || keep(&front, &admin, &ends));
        Self { over, outsider }
    }

    /// Ends it. What was served never went back, from whichever replica it came.
    #[track_caller]
    pub(crate) fn end(self, departed: &mut Departed) {
        self.over.store(true, Ordering::Relaxed);
        departed.take_row(self.outsider.join().expect("the outsider was told what cannot be"));
    }
}

fn keep(front: &Front, admin: &Client, over: &AtomicBool) -> Vec<Checkpoint> {
    let (mut dice, mut kept) = (Dice::new(0), Vec::<Checkpoint>::new());
    let mut session = None;
    while !over.load(Ordering::Relaxed) {
        let Some(caller) = &session else {
            session = Caller::open(front, front.any(&mut dice), admin).ok();
            continue;
        };
        let Ok(Some(served)) = caller.checkpoint(front.any(&mut dice)) else { continue };
        if kept.last() != Some(&served) {
            kept.push(served);
        }
    }
    kept
}
