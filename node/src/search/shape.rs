//! Lines and polygons, and whether they have a point in common with a rectangle.
//!
//! Everything is counted in whole millionths of a degree, on the plane of longitude and latitude
//! (Simple Features, OGC 06-103r4, 6.1.15), so that no rounding decides.

use super::Area;

/// A place: longitude and latitude in millionths of a degree.
pub type Position = (i32, i32);

/// Lines and polygons together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// Lines, each from place to place.
    pub lines: Vec<Vec<Position>>,
    /// Polygons: rings, the first around all others; what lies in an odd number of rings is inside.
    pub polygons: Vec<Vec<Vec<Position>>>,
}

impl Shape {
    /// How many places it has.
    pub fn positions(&self) -> usize {
        self.lines.iter().chain(self.polygons.iter().flatten()).map(Vec::len).sum()
    }

    /// Whether it has a point in common with a rectangle.
    pub(super) fn touches(&self, area: &Area) -> bool {
        self.lines.iter().any(|line| line_touches(line, area))
            || self.polygons.iter().any(|rings| polygon_touches(rings, area))
    }
}

fn line_touches(line: &[Position], area: &Area) -> bool {
    match line {
        [only] => segment_touches(*only, *only, area),
        _ => line.windows(2).any(|ends| segment_touches(ends[0], ends[1], area)),
    }
}

/// If no ring passes through the rectangle, all of it lies on the same side of all of them.
fn polygon_touches(rings: &[Vec<Position>], area: &Area) -> bool {
    rings.iter().any(|ring| line_touches(ring, area))
        || rings.iter().filter(|ring| surrounds(ring, (area.west, area.south))).count() % 2 == 1
}

/// By the three axes that can separate a segment from a rectangle.
fn segment_touches(one: Position, other: Position, area: &Area) -> bool {
    let apart = |from: i32, to: i32, least: i32, most: i32| from.max(to) < least || from.min(to) > most;
    if apart(one.0, other.0, area.west, area.east) || apart(one.1, other.1, area.south, area.north) {
        return false;
    }
    let corners =
        [(area.west, area.south), (area.west, area.north), (area.east, area.south), (area.east, area.north)];
    let sides = corners.map(|corner| side(one, other, corner).signum());
    !(sides.iter().all(|side| *side > 0) || sides.iter().all(|side| *side < 0))
}

/// Positive if `place` lies to the left of the way from one place to the other, 0 if on its line.
fn side(from: Position, to: Position, place: Position) -> i128 {
    let across = |(x, y): Position| (i128::from(x), i128::from(y));
    let ((from_x, from_y), (to_x, to_y), (x, y)) = (across(from), across(to), across(place));
    (to_x - from_x) * (y - from_y) - (to_y - from_y) * (x - from_x)
}

/// Whether a ring goes around a place that is not on it: a ray to the east crosses it oddly often.
fn surrounds(ring: &[Position], place: Position) -> bool {
    let crosses = |ends: &[Position]| {
        let (one, other) = (ends[0], ends[1]);
        if (one.1 > place.1) == (other.1 > place.1) {
            return false;
        }
        // Seen along the way up, what lies to the left is west of the segment.
        let (low, high) = if one.1 < other.1 { (one, other) } else { (other, one) };
        side(low, high, place) > 0
    };
    ring.windows(2).filter(|ends| crosses(ends)).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(west: i32, south: i32, east: i32, north: i32) -> Area {
        Area { west, south, east, north }
    }

    #[test]
    fn a_polygon_touches_what_it_crosses_holds_or_lies_in_but_not_what_is_in_its_hole() {
        let around = vec![(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)];
        let hole = vec![(20, 20), (20, 80), (80, 80), (80, 20), (20, 20)];
        let polygon = Shape { lines: vec![], polygons: vec![vec![around, hole]] };
        for (rectangle, expected) in [
            (area(5, 5, 10, 10), true),
            (area(30, 30, 70, 70), false),
            (area(30, 30, 80, 70), true),
            (area(-10, -10, 200, 200), true),
            (area(100, 100, 101, 101), true),
            (area(101, 0, 102, 100), false),
            (area(50, -10, 50, -1), false),
            (area(50, 10, 50, 10), true),
            (area(-5, 50, 5, 50), true),
            (Area::NOWHERE, false),
        ] {
            assert_eq!(polygon.touches(&rectangle), expected, "{rectangle:?}");
        }
    }

    #[test]
    fn a_slanted_line_does_not_touch_all_that_its_bounds_do() {
        let line = Shape { lines: vec![vec![(0, 0), (100, 100)]], polygons: vec![] };
        assert!(line.touches(&area(50, 50, 50, 50)));
        assert!(line.touches(&area(60, 40, 100, 60)));
        assert!(!line.touches(&area(61, 40, 100, 60)));
        assert!(!line.touches(&area(50, 49, 50, 49)));
        let triangle = vec![(0, 0), (100, 0), (0, 100), (0, 0)];
        let triangle = Shape { lines: vec![], polygons: vec![vec![triangle]] };
        assert!(triangle.touches(&area(50, 50, 90, 90)));
        assert!(!triangle.touches(&area(51, 50, 90, 90)));
    }

    /// Against a walk over all whole places of a small plane.
    #[test]
    fn small_polygons_touch_exactly_the_cells_that_a_fine_raster_says() {
        let mut state = 0x5eed_u64;
        let mut below = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % bound) as i32
        };
        let mut touched = 0;
        for _ in 0..2_000 {
            let mut triangle: Vec<Position> = (0..3).map(|_| (below(12), below(12))).collect();
            triangle.push(triangle[0]);
            let (west, south) = (below(12), below(12));
            let rectangle = area(west, south, west + below(4), south + below(4));
            let shape = Shape { lines: vec![], polygons: vec![vec![triangle.clone()]] };
            // By clipping the triangle to the rectangle (Sutherland and Hodgman), in fractions.
            let clipped = clip(&triangle[..3], &rectangle);
            assert_eq!(shape.touches(&rectangle), clipped, "{triangle:?} {rectangle:?}");
            touched += u32::from(clipped);
        }
        assert!((200..1_800).contains(&touched), "{touched}");
    }

    fn clip(corners: &[Position], area: &Area) -> bool {
        let mut places: Vec<(f64, f64)> =
            corners.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))).collect();
        let edges: [(bool, f64, f64); 4] = [
            (true, f64::from(area.west), 1.0),
            (true, f64::from(area.east), -1.0),
            (false, f64::from(area.south), 1.0),
            (false, f64::from(area.north), -1.0),
        ];
        for (vertical, edge, sign) in edges {
            let depth = |place: &(f64, f64)| ((if vertical { place.0 } else { place.1 }) - edge) * sign;
            let mut kept = Vec::new();
            for (at, place) in places.iter().enumerate() {
                let before = places[(at + places.len() - 1) % places.len()];
                let (here, there) = (depth(place), depth(&before));
                if (here >= -1e-9) != (there >= -1e-9) {
                    let part = there / (there - here);
                    kept.push((
                        before.0 + (place.0 - before.0) * part,
                        before.1 + (place.1 - before.1) * part,
                    ));
                }
                if here >= -1e-9 {
                    kept.push(*place);
                }
            }
            places = kept;
        }
        !places.is_empty()
    }
}
