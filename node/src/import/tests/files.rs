//! Files to import, made here: workbooks, archives, bombs.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use rust_xlsxwriter::{Format, Formula, Workbook};

/// Rows as a workbook with one sheet.
pub(super) fn xlsx(rows: &[&[&str]]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (number, row) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(*row) {
            sheet.write_string(number, column, *cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// A workbook as offices make them: a title above the head, merged cells,
/// formulas, dates, numbers, a hidden sheet, and one that is no table.
pub(super) fn grown_xlsx() -> Vec<u8> {
    let mut book = Workbook::new();
    let day = Format::new().set_num_format("dd.mm.yyyy");
    let sheet = book.add_worksheet().set_name("Inventar").unwrap();
    sheet.merge_range(0, 0, 0, 5, "Dateninventar der Stadt", &Format::new()).unwrap();
    for (column, name) in
        (0..).zip(["Fachbereich", "Titel", "Zuletzt aktualisiert", "Kennung", "Personenbezug", "Tags"])
    {
        sheet.write_string(2, column, name).unwrap();
    }
    sheet.merge_range(3, 0, 4, 0, "Bauordnung", &Format::new()).unwrap();
    for (row, title) in (3..).zip(["Baulücken", "Denkmäler", "Spielplätze"]) {
        sheet.write_string(row, 1, title).unwrap();
        sheet.write_number_with_format(row, 2, 45_000.0, &day).unwrap();
        sheet.write_number(row, 3, f64::from(row)).unwrap();
        sheet.write_boolean(row, 4, false).unwrap();
        sheet.write_formula(row, 5, Formula::new("=CONCAT(\"a\",\"b\")").set_result("ab")).unwrap();
    }
    sheet.write_string(5, 0, "Grünflächen").unwrap();
    let hidden = book.add_worksheet().set_name("Verborgen").unwrap();
    hidden.write_string(0, 0, "Titel").unwrap();
    hidden.write_string(1, 0, "Geheim").unwrap();
    hidden.set_hidden(true);
    let other = book.add_worksheet().set_name("Erläuterung").unwrap();
    other.write_string(0, 0, "Bitte alle Felder ausfüllen.").unwrap();
    book.save_to_buffer().unwrap()
}

/// A workbook in which each sheet describes one dataset.
pub(super) fn forms_xlsx(titles: &[&str]) -> Vec<u8> {
    let mut book = Workbook::new();
    for title in titles {
        let sheet = book.add_worksheet().set_name(*title).unwrap();
        let fields = [
            ("Titel:", *title),
            ("Beschreibung", "Was es ist."),
            ("Aktualisierungsfrequenz", "jährlich"),
            ("Lizenz", ""),
        ];
        for (row, (name, value)) in (1..).zip(fields) {
            sheet.write_string(row, 1, name).unwrap();
            sheet.write_string(row, 2, value).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// A part of an archive: name, content, and the size that it says it has.
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    pub(super) content: Vec<u8>,
    pub(super) says: Option<u32>,
}

impl<'a> Part<'a> {
    pub(super) fn new(name: &'a str, content: impl Into<Vec<u8>>) -> Self {
        Self { name, content: content.into(), says: None }
    }
}

/// A zip archive of packed parts; the first is stored as it is, as ods asks.
pub(super) fn zip(parts: &[Part<'_>]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (number, part) in parts.iter().enumerate() {
        let mut crc = Crc::new();
        crc.update(&part.content);
        let (method, packed): (u16, Vec<u8>) = if number == 0 {
            (0, part.content.clone())
        } else {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&part.content).unwrap();
            (8, encoder.finish().unwrap())
        };
        let size = part.says.unwrap_or(part.content.len() as u32);
        let mut common = Vec::new();
        common.extend_from_slice(&20u16.to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        common.extend_from_slice(&method.to_le_bytes());
        common.extend_from_slice(&[0, 0, 0x21, 0]);
        common.extend_from_slice(&crc.sum().to_le_bytes());
        common.extend_from_slice(&(packed.len() as u32).to_le_bytes());
        common.extend_from_slice(&size.to_le_bytes());
        common.extend_from_slice(&(part.name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&(file.len() as u32).to_le_bytes());
        directory.extend_from_slice(part.name.as_bytes());
        file.extend_from_slice(b"PK\x03\x04");
        file.extend_from_slice(&common);
        file.extend_from_slice(part.name.as_bytes());
        file.extend_from_slice(&packed);
    }
    let (offset, size, count) = (file.len() as u32, directory.len() as u32, parts.len() as u16);
    file.extend_from_slice(&directory);
    file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    file.extend_from_slice(&count.to_le_bytes());
    file.extend_from_slice(&count.to_le_bytes());
    file.extend_from_slice(&size.to_le_bytes());
    file.extend_from_slice(&offset.to_le_bytes());
    file.extend_from_slice(&[0, 0]);
    file
}

/// An ods of one sheet with this markup inside its table.
pub(super) fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body><office:spreadsheet><table:table table:name="Inventar">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"#
    );
    let manifest = r#"<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>"#;
    zip(&[
        Part::new("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        Part::new("META-INF/manifest.xml", manifest),
        Part::new("content.xml", content),
    ])
}

/// A row of an ods.
pub(super) fn ods_row(cells: &[&str]) -> String {
    let cell = |text: &&str| {
        format!(r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#)
    };
    format!("<table:table-row>{}</table:table-row>", cells.iter().map(cell).collect::<String>())
}

/// The parts of an xlsx whose sheet is this markup.
pub(super) fn xlsx_parts(sheet: &str) -> Vec<Part<'static>> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const REL: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let types = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
    let relation = |id: &str, kind: &str, target: &str| {
        format!(
            r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="{id}" Type="{REL}/{kind}" Target="{target}"/></Relationships>"#
        )
    };
    let book = format!(
        r#"<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets><sheet name="Inventar" sheetId="1" r:id="rId1"/></sheets></workbook>"#
    );
    vec![
        Part::new("[Content_Types].xml", types),
        Part::new("_rels/.rels", relation("rId1", "officeDocument", "xl/workbook.xml")),
        Part::new("xl/workbook.xml", book),
        Part::new("xl/_rels/workbook.xml.rels", relation("rId1", "worksheet", "worksheets/sheet1.xml")),
        Part::new("xl/worksheets/sheet1.xml", sheet.to_owned()),
    ]
}

/// The markup of a sheet with these rows.
pub(super) fn sheet(rows: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
    )
}

/// A cell with its own text.
pub(super) fn cell(place: &str, text: &str) -> String {
    format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#)
}
