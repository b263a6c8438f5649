//! Tests of the paths of tiles.

use proptest::prelude::*;

use crate::merkle::{TileLevel, TilePath};

/// A text that is the path of a tile, or nearly.
fn near_paths() -> impl Strategy<Value = String> {
    let level =
        prop_oneof![(0_u8..64).prop_map(|n| n.to_string()), "0[0-9]", "entries", "\\+1", ""];
    let width =
        prop_oneof!["", "\\.p/[1-9][0-9]{0,2}", "\\.p/0[0-9]", "\\.p/\\+1", "\\.p", "\\.p/"];
    let element = prop_oneof!["x[0-9]{3}", "[0-9]{3}", "x000", "[x0-9]{0,4}"];
    let index = prop::collection::vec(element, 0..7);
    let parts = (level, index, "[0-9]{3}", width);
    parts.prop_map(|(level, mut index, last, width)| {
        index.push(last);
        format!("{level}/{}{width}", index.join("/"))
    })
}

/// What others make of the path.
fn parsed_by_others(path: &str) -> Option<(TileLevel, u64, u16)> {
    let path = path.strip_prefix("entries/").map_or(path.to_owned(), |rest| format!("data/{rest}"));
    let tile = tlog_tiles::Tile::from_path(&format!("tile/8/{path}")).ok()?;
    let level = if tile.is_data() { TileLevel::Entries } else { TileLevel::Hashes(tile.level()) };
    Some((level, tile.level_index(), u16::try_from(tile.width()).unwrap()))
}

proptest! {
    #[test]
    fn the_path_of_a_tile_is_that_of_others(
        level in 0_u8..64,
        index in prop_oneof![any::<u64>(), 0_u64..2_000, Just(u64::MAX)],
        width in 1_u16..=256,
    ) {
        let path = TilePath { level: TileLevel::Hashes(level), index, width };
        let their = tlog_tiles::Tile::new(8, level, index, u32::from(width), false).path();
        prop_assert_eq!(format!("tile/8/{path}"), their);
        prop_assert_eq!(path.to_string().parse(), Ok(path));
        let entries = TilePath { level: TileLevel::Entries, ..path };
        prop_assert_eq!(entries.to_string().parse(), Ok(entries));
    }

    #[test]
    fn what_is_nearly_the_path_of_a_tile_is_refused_as_others_do(text in near_paths()) {
        let parsed = text.parse::<TilePath>().ok();
        let parsed = parsed.map(|path| (path.level, path.index, path.width));
        // They abort at a width of zero.
        let is_empty = text.ends_with(".p/0") || text.ends_with(".p/00");
        let their = if is_empty { None } else { parsed_by_others(&text) };
        prop_assert_eq!(parsed, their, "{}", text);
    }

    #[test]
    fn no_text_brings_the_parser_of_paths_down(text in ".{0,40}") {
        let _ = text.parse::<TilePath>();
    }
}

#[test]
fn each_path_of_a_tile_has_one_text() {
    let parsed = |text: &str| text.parse::<TilePath>().ok().map(|path| (path.index, path.width));
    assert_eq!(parsed("0/x001/x234/067"), Some((1_234_067, 256)));
    assert_eq!(parsed("0/x001/x234/067.p/8"), Some((1_234_067, 8)));
    assert_eq!(parsed("entries/000.p/255"), Some((0, 255)));
    for bad in [
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/08",
        "00/000",
        "64/000",
        "0/0",
        "0/x000/000",
        "0/1000",
        "0/001/000",
        "0/x001",
        "0/000/",
        "/000",
        "0/",
        "0",
        "",
        "0/000.p/1/",
        "0/-01",
        "entries/",
        "data/000",
        "0/x001/000.p",
        "0/x018/x446/x744/x073/x709/x551/616",
    ] {
        assert_eq!(parsed(bad), None, "{bad}");
    }
    assert_eq!(parsed("0/x018/x446/x744/x073/x709/x551/615"), Some((u64::MAX, 256)));
}
