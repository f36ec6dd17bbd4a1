// SPDX-License-Identifier: GPL-2.0-or-later
//! XML as a walk over its elements, in bounded memory.
//!
//! Only what repository metadata is written in: a document type is refused, so there are no entities
//! but the five that XML itself has, and nothing expands.

use anyhow::{Context, Result, bail, ensure};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion, escape::resolve_xml_entity};
use std::io::{BufReader, Read};

/// The whole document, unpacked.
const LARGEST: u64 = 1 << 30;
/// One tag, or one text such as a description.
const LARGEST_PIECE: u64 = 1 << 20;
/// The names of all elements that are open at once.
const LONGEST_PATH: usize = 1024;
const MOST_ATTRIBUTES: usize = 32;

/// What a walk comes by.
#[derive(Clone, Copy)]
pub enum Node<'a> {
    Begin(Element<'a>),
    /// With the text since the last tag: all of it, where elements have either text or elements.
    End(&'a str),
}

#[derive(Clone, Copy)]
pub struct Element<'a>(&'a BytesStart<'a>);

impl Element<'_> {
    pub fn attribute(self, name: &str) -> Result<Option<String>> {
        let mut found = None;
        // The crate's own look for doubles takes the square of their number.
        for (number, attribute) in self.0.attributes().with_checks(false).enumerate() {
            let attribute = attribute?;
            ensure!(
                number < MOST_ATTRIBUTES,
                "an element has more than {MOST_ATTRIBUTES} attributes"
            );
            if attribute.key.as_ref() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned();
                ensure!(
                    found.replace(value).is_none(),
                    "an element has the attribute `{name}` twice"
                );
            }
        }
        Ok(found)
    }

    pub fn required(self, name: &str) -> Result<String> {
        self.attribute(name)?.with_context(|| {
            let element = self.0.name().into_inner().escape_debug();
            format!("the element `{element}` lacks the attribute `{name}`")
        })
    }
}

/// Shows `visit` where each element of a document begins and ends, with the names from `root` on.
pub fn walk(
    input: impl Read,
    root: &str,
    mut visit: impl FnMut(&str, Node) -> Result<()>,
) -> Result<()> {
    let mut reader = Reader::from_reader(BufReader::new(input).take(0));
    reader.config_mut().expand_empty_elements = true;
    let (mut buffer, mut path, mut text) = (Vec::new(), String::new(), String::new());
    let mut ended = false;
    loop {
        buffer.clear();
        reader.get_mut().set_limit(LARGEST_PIECE);
        let event = reader.read_event_into(&mut buffer);
        // The limit looks like the end of the file from inside.
        ensure!(reader.get_ref().limit() > 0, "a piece of it is larger than {LARGEST_PIECE} bytes");
        ensure!(reader.buffer_position() <= LARGEST, "it unpacks to more than {LARGEST} bytes");
        let place = reader.error_position();
        match event.with_context(|| format!("it is not sound XML at byte {place}"))? {
            Event::Start(element) => {
                let name = element.name().into_inner();
                ensure!(!path.is_empty() || (!ended && name == root), "it is not a `{root}`");
                ensure!(!name.contains('/'), "`{}` is no name of an element", name.escape_debug());
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(name);
                ensure!(path.len() <= LONGEST_PATH, "its elements are too deep in one another");
                text.clear();
                visit(&path, Node::Begin(Element(&element)))?;
            }
            Event::End(_) => {
                visit(&path, Node::End(&text))?;
                text.clear();
                path.truncate(path.rfind('/').unwrap_or_default());
                ended = path.is_empty();
            }
            Event::Text(more) => text.push_str(&more.xml10_content()),
            Event::CData(more) => text.push_str(&more.xml10_content()),
            Event::GeneralRef(name) => {
                match (name.resolve_char_ref()?, resolve_xml_entity(&name)) {
                    (Some(character), _) => text.push(character),
                    (_, Some(entity)) => text.push_str(entity),
                    _ => bail!("it refers to `{}`, which XML does not have", name.escape_debug()),
                }
            }
            Event::DocType(_) => bail!("it has a document type, as no repository metadata has"),
            // An empty element comes as a start and an end.
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::Empty(_) => {}
            Event::Eof => break,
        }
        ensure!(!path.is_empty() || text.trim().is_empty(), "it has text outside of its elements");
        ensure!(
            text.len() as u64 <= LARGEST_PIECE,
            "a text in it is larger than {LARGEST_PIECE} bytes"
        );
    }
    ensure!(ended, "it is cut short");
    Ok(())
}
