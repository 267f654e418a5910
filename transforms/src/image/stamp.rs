//! Placing of a watermark on a picture: the nine positions, and tiling.

use serde::Deserialize;

use super::picture::Picture;

/// Where a watermark goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Position {
    NorthWest,
    North,
    NorthEast,
    West,
    #[serde(alias = "centre")]
    Center,
    East,
    SouthWest,
    South,
    #[default]
    SouthEast,
    /// Over and over, every other row shifted by half.
    Tile,
}

/// Where along one side: at its start, in its middle, at its end.
#[derive(Clone, Copy)]
enum Along {
    Start,
    Middle,
    End,
}

impl Along {
    fn offset(self, side: i64, stamp: i64, margin: i64) -> i64 {
        match self {
            Self::Start => margin,
            Self::Middle => (side - stamp) / 2,
            Self::End => side - stamp - margin,
        }
    }
}

/// Draws `stamp` (with alpha) on `picture` (in colour), `margin` pixels from the edges.
pub(super) fn place(picture: &mut Picture, stamp: &Picture, position: Position, margin: u32) {
    let (width, height) = (i64::from(picture.width), i64::from(picture.height));
    let (stamp_width, stamp_height) = (i64::from(stamp.width), i64::from(stamp.height));
    let margin = i64::from(margin);
    let (across, down) = match position {
        Position::NorthWest => (Along::Start, Along::Start),
        Position::North => (Along::Middle, Along::Start),
        Position::NorthEast => (Along::End, Along::Start),
        Position::West => (Along::Start, Along::Middle),
        Position::Center => (Along::Middle, Along::Middle),
        Position::East => (Along::End, Along::Middle),
        Position::SouthWest => (Along::Start, Along::End),
        Position::South => (Along::Middle, Along::End),
        Position::SouthEast => (Along::End, Along::End),
        Position::Tile => return tile(picture, stamp, margin),
    };
    picture.draw(stamp, across.offset(width, stamp_width, margin), down.offset(height, stamp_height, margin));
}

fn tile(picture: &mut Picture, stamp: &Picture, margin: i64) {
    let (stamp_width, stamp_height) = (i64::from(stamp.width), i64::from(stamp.height));
    let step_across = stamp_width + (stamp_width / 2).max(margin).max(1);
    let step_down = stamp_height + (stamp_height * 2).max(margin).max(1);
    let mut y = margin;
    let mut shifted = false;
    while y < i64::from(picture.height) {
        let mut x = if shifted { margin - step_across / 2 } else { margin };
        while x < i64::from(picture.width) {
            picture.draw(stamp, x, y);
            x += step_across;
        }
        y += step_down;
        shifted = !shifted;
    }
}
