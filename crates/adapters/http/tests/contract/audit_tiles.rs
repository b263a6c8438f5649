//! The tiles of the log: what they hold, which of them may be kept, and that each has one path.

use audit::{
    Hash,
    merkle::{Frontier, leaf_hash},
};
use axum::http::Method;

use crate::audit_proofs::{checkpoint, get, tile, with_log};

fn root_over(hashes: &[Hash]) -> Hash {
    let mut frontier = Frontier::empty();
    hashes.iter().for_each(|hash| frontier.push(*hash, |_| {}));
    frontier.root()
}

#[tokio::test]
async fn the_tiles_together_hash_to_the_root_of_the_checkpoint_and_the_entries_to_the_leaves() {
    let (server, token) = with_log(600).await;
    let newest = checkpoint(&server, &token).await;
    let mut leaves = Vec::new();
    let mut entries: Vec<Vec<u8>> = Vec::new();
    for index in 0..=newest.size / 256 {
        let width = (newest.size - index * 256).min(256);
        if width == 0 {
            break;
        }
        let part = if width < 256 { format!(".p/{width}") } else { String::new() };
        let hashes = tile(&server, &token, &format!("0/{index:03}{part}")).await;
        assert_eq!(u64::try_from(hashes.len()).unwrap(), width);
        leaves.extend(hashes);
        let path = format!("tile/entries/{index:03}{part}");
        let bundle = get(&server, &token, &path).await.expect(200).body;
        let mut rest = bundle.as_slice();
        while let Some((length, more)) = rest.split_first_chunk::<2>() {
            let (entry, more) = more.split_at(u16::from_be_bytes(*length).into());
            entries.push(entry.to_vec());
            rest = more;
        }
        assert!(rest.is_empty());
    }
    assert_eq!(root_over(&leaves), newest.root);
    let hashed: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    assert_eq!(hashed, leaves);
    let above = tile(&server, &token, "1/000.p/2").await;
    assert_eq!(above, [root_over(&leaves[..256]), root_over(&leaves[256..512])]);
    assert_eq!(tile(&server, &token, "0/000.p/8").await, leaves[..8]);
}

#[tokio::test]
async fn only_a_full_tile_of_hashes_may_be_kept_and_only_for_the_same_token() {
    let (server, token) = with_log(300).await;
    for (path, kept) in [
        ("0/000", true),
        ("0/000.p/8", false),
        ("0/001.p/8", false),
        ("1/000.p/1", false),
        ("entries/000", false),
    ] {
        let answer = get(&server, &token, &format!("tile/{path}")).await.expect(200);
        let control = if kept { "private, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), Some(control), "{path}");
        assert_eq!(answer.header("vary"), kept.then_some("authorization"), "{path}");
    }
    for path in ["checkpoint", "key", "export", "consistency?from=1"] {
        let answer = get(&server, &token, path).await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[tokio::test]
async fn a_tile_that_is_not_there_is_404_and_what_cannot_be_a_tile_is_400() {
    let (server, token) = with_log(20).await;
    let size = checkpoint(&server, &token).await.size;
    for absent in [
        "0/000".to_owned(),
        "0/001".to_owned(),
        "0/001.p/1".to_owned(),
        format!("0/000.p/{}", size + 1),
        format!("entries/000.p/{}", size + 1),
        "1/000.p/1".to_owned(),
        "8/000".to_owned(),
        "63/000".to_owned(),
        "0/x018/x446/x744/x073/x709/x551/615".to_owned(),
    ] {
        let answer = get(&server, &token, &format!("tile/{absent}")).await;
        assert_eq!(answer.refusal(), (404, "NOT_FOUND"), "{absent}");
    }
    for bad in [
        "0",
        "proof",
        "0/0",
        "0/00",
        "0/0000",
        "00/000.p/1",
        "64/000",
        "-1/000",
        "+0/000",
        "0/000/",
        "0//000",
        "0/x000/001",
        "0/001/001",
        "0/x001",
        "0/X001/001",
        "0/000.p/0",
        "0/000.p/01",
        "0/000.p/256",
        "0/000.p/",
        "0/000.p",
        "0/000.P/1",
        "0/000.p/1/2",
        "0/x999/x999/x999/x999/x999/x999/999",
        "entry/000.p/1",
        "Entries/000.p/1",
        "data/000.p/1",
        "0/٠٠٠.p/1",
    ] {
        let bad = bad.replace('٠', "%D9%A0");
        let answer = get(&server, &token, &format!("tile/{bad}")).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{bad}");
        assert_eq!(answer.bad_fields(), ["path"], "{bad}");
    }
}

#[tokio::test]
async fn rg_09_a_tile_has_one_spelling_and_an_escaped_slash_leads_nowhere() {
    let (server, token) = with_log(20).await;
    get(&server, &token, "tile/0/000.p/8").await.expect(200);
    for other in [
        "0%2F000.p%2F8",
        "0%2f000.p/8",
        "0/000.p%2F8",
        "0/000%2Ep/8",
        "%30/000.p/8",
        "..%2Fcheckpoint",
        "%2E%2E/checkpoint",
        "../checkpoint",
        "0/../0/000.p/8",
        "./0/000.p/8",
        "0/000.p/8%00",
        "0/000.p/8%20",
    ] {
        let answer = get(&server, &token, &format!("tile/{other}")).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{other}");
        assert_eq!(answer.bad_fields(), ["path"], "{other}");
    }
    for beside in ["tile/", "tile%2F0/000", "checkpoint/"] {
        let answer = get(&server, &token, beside).await;
        assert!([400, 404].contains(&answer.status), "{beside}: {}", answer.status);
    }
    // No other method gets past the parameter that takes everything.
    let posted = server.call(Method::POST, "/api/v1/audit/tile/0/000.p/8").send().await;
    assert_eq!(posted.refusal(), (405, "METHOD_NOT_ALLOWED"));
}
