//! `S_INTERSECTS`: which records' rectangles have a point in common with a
//! geometry.
//!
//! Boxes and points are compared exactly as they were written; places of lines
//! and polygons are rounded to millionths of a degree (0.1 m), the grain in
//! which rectangles are kept, and then compared exactly. Lines are straight on
//! the plane of longitude and latitude and do not cross the antimeridian.

use std::sync::Arc;

use node::view::{Area, Condition, Expression, Position, Shape};

use super::super::cql::{Geometry, Operand, Value, Wrong};
use super::super::queryables::Queryable;
use super::{LITERAL, Test, named, texts};

/// Most places of all lines and polygons of one condition: each is looked at for each record.
const POSITIONS_MAX: usize = 500;
/// Parts of a degree in which places are kept.
const PER_DEGREE: f64 = 1_000_000.0;

pub(super) fn intersects(one: &Operand, other: &Operand) -> Result<Test, Wrong> {
    let (name, literal) = match (&one.value, &other.value) {
        (Value::Property(name), _) => ((one, name), other),
        (_, Value::Property(name)) => ((other, name), one),
        _ => return Err(Wrong::new(&one.at, texts::shown(one), super::NO_PROPERTY, PROPERTY)),
    };
    let (operand, name) = name;
    if named(&operand.at, name)? != Queryable::Geometry {
        return Err(Wrong::new(&operand.at, name, ("ist keine Geometrie", "is no geometry"), PROPERTY));
    }
    let geometry = match &literal.value {
        Value::Geometry(geometry) => geometry,
        Value::Property(name) => return Err(Wrong::new(&literal.at, name, super::TWO_PROPERTIES, LITERAL)),
        _ => {
            let problem = ("ist keine Geometrie", "is no geometry");
            return Err(Wrong::new(&literal.at, texts::shown(literal), problem, GEOMETRY));
        }
    };
    let (mut ways, mut shape) = (Vec::new(), Shape::default());
    collect(geometry, &mut ways, &mut shape);
    if shape.positions() + ways.len() > POSITIONS_MAX {
        let problem = ("hat zu viele Orte", "has too many places");
        return Err(Wrong::new(&literal.at, texts::shown(literal), problem, FEWER));
    }
    if shape.positions() > 0 {
        ways.push(Condition::Meets(Arc::new(shape)));
    }
    let holds = Expression::Where(Condition::Any(ways));
    Ok(Test { needs: vec![Queryable::Geometry], holds })
}

fn collect(geometry: &Geometry, ways: &mut Vec<Condition>, shape: &mut Shape) {
    match geometry {
        Geometry::Bbox([west, south, east, north]) if west > east => {
            ways.push(touches([*west, *south, 180.0, *north]));
            ways.push(touches([-180.0, *south, *east, *north]));
        }
        Geometry::Bbox(edges) => ways.push(touches(*edges)),
        Geometry::Points(places) => ways.extend(places.iter().map(|[x, y]| touches([*x, *y, *x, *y]))),
        Geometry::Lines(lines) => shape.lines.extend(lines.iter().map(|line| rounded(line))),
        Geometry::Polygons(polygons) => {
            let rings = |rings: &Vec<Vec<[f64; 2]>>| rings.iter().map(|ring| rounded(ring)).collect();
            shape.polygons.extend(polygons.iter().map(rings));
        }
        Geometry::Collection(parts) => parts.iter().for_each(|part| collect(part, ways, shape)),
    }
}

/// What lies between two places of the grain touches nothing that ends on them:
/// edges are moved inwards, so that the comparison of whole numbers is the one
/// that was written.
fn touches([west, south, east, north]: [f64; 4]) -> Condition {
    let (up, down) =
        (|degrees| in_grains(degrees).ceil() as i32, |degrees| in_grains(degrees).floor() as i32);
    Condition::Touches(Area { west: up(west), south: up(south), east: down(east), north: down(north) })
}

fn rounded(line: &[[f64; 2]]) -> Vec<Position> {
    let grain = |degrees: f64| in_grains(degrees).round() as i32;
    line.iter().map(|[x, y]| (grain(*x), grain(*y))).collect()
}

/// Degrees in parts; what is a whole number but for the binary fraction is one.
fn in_grains(degrees: f64) -> f64 {
    let grains = degrees * PER_DEGREE;
    let whole = grains.round();
    if whole / PER_DEGREE == degrees { whole } else { grains }
}

type Words = (&'static str, &'static str);

const FEWER: Words = (
    "die Geometrie auf höchstens 500 Orte vereinfachen, oder ihr Rechteck als BBOX angeben",
    "simplify the geometry to at most 500 places, or give its box as BBOX",
);
const GEOMETRY: Words = (
    "BBOX(8, 51, 9, 52), POINT(8.1 51.5) oder POLYGON((…)) angeben, in JSON GeoJSON",
    "give BBOX(8, 51, 9, 52), POINT(8.1 51.5) or POLYGON((…)), in JSON GeoJSON",
);
const PROPERTY: Words = ("die Eigenschaft geometry angeben", "give the property geometry");
