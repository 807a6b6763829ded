//! Reads an XML document as a client would: well formed or not at all.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

/// An element with its namespace, attributes, children and text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Element {
    pub(crate) namespace: String,
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

impl Element {
    /// The document's root.
    pub(crate) fn parse(text: &str) -> Self {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().check_end_names = true;
        let mut open = vec![Self::default()];
        loop {
            let (namespace, event) = reader.read_resolved_event().unwrap_or_else(|e| panic!("{e}: {text}"));
            match event {
                Event::Start(start) => open.push(Self::begin(&namespace, &start)),
                Event::Empty(start) => {
                    let element = Self::begin(&namespace, &start);
                    open.last_mut().unwrap().children.push(element);
                }
                Event::End(_) => {
                    let element = open.pop().unwrap();
                    open.last_mut().expect("a start before each end").children.push(element);
                }
                Event::Text(piece) => open.last_mut().unwrap().text += &piece,
                Event::CData(piece) => open.last_mut().unwrap().text += &piece,
                Event::GeneralRef(reference) => {
                    let resolved = reference.resolve_char_ref().unwrap().map(String::from);
                    let known =
                        || quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned);
                    open.last_mut().unwrap().text += &resolved.or_else(known).expect("a known entity");
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(open.len(), 1, "an element is not closed: {text}");
        let root = open.remove(0);
        assert_eq!(root.children.len(), 1, "one root: {text}");
        root.children.into_iter().next().unwrap()
    }

    fn begin(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Self {
        let attribute = |one: quick_xml::events::attributes::Attribute<'_>| {
            let value = quick_xml::escape::unescape(&one.value).unwrap();
            (one.key.as_ref().to_owned(), value.into_owned())
        };
        Self {
            namespace: match namespace {
                ResolveResult::Bound(namespace) => namespace.as_ref().to_owned(),
                ResolveResult::Unbound => String::new(),
                ResolveResult::Unknown(prefix) => panic!("unknown prefix {prefix}"),
            },
            name: start.local_name().as_ref().to_owned(),
            attributes: start.attributes().map(|one| attribute(one.unwrap())).collect(),
            children: Vec::new(),
            text: String::new(),
        }
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Child elements of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> &Self {
        self.children
            .iter()
            .find(|child| child.name == name)
            .unwrap_or_else(|| panic!("<{}> has no <{name}>: {self:?}", self.name))
    }

    /// The text of the first child of this name, if there is one.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        let child = self.children.iter().find(|child| child.name == name)?;
        Some(child.text.as_str())
    }

    /// Names of the children, in their order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.children.iter().map(|child| child.name.as_str()).collect()
    }
}
