//! Small XML documents, written by hand: errors and the S3 Control plane's answers.

use quick_xml::escape::escape;

/// A document as it grows.
#[derive(Debug, Clone)]
pub struct Xml(String);

impl Default for Xml {
    fn default() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned())
    }
}

impl Xml {
    /// A part of a document.
    #[must_use]
    pub fn fragment() -> Self {
        Self(String::new())
    }

    /// Writes a part that was made by [`fragment`](Self::fragment).
    pub fn fragment_in(&mut self, fragment: &str) {
        self.0.push_str(fragment);
    }

    /// An element with text.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.open(name);
        self.0.push_str(&escape(&*clean(value)));
        self.close(name)
    }

    /// Text inside the element that is open.
    pub fn value(&mut self, value: &str) {
        self.0.push_str(&escape(&*clean(value)));
    }

    /// An element with what `inside` writes.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        self.open(name);
        inside(self);
        self.close(name)
    }

    /// The root element, in a namespace.
    pub fn root(&mut self, name: &str, namespace: &str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        self.0.push_str(&format!("<{name} xmlns=\"{namespace}\">"));
        inside(self);
        self.close(name)
    }

    /// The document.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    fn close(&mut self, name: &str) -> &mut Self {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
        self
    }
}

/// Characters that XML 1.0 cannot carry, even escaped, would make the document unreadable.
fn clean(value: &str) -> std::borrow::Cow<'_, str> {
    let bad = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    if value.contains(bad) { value.replace(bad, "\u{FFFD}").into() } else { value.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_cleaned() {
        let mut xml = Xml::default();
        xml.root("A", "urn:n", |xml| {
            xml.text("B", "<&>\"\u{1}").element("C", |xml| {
                xml.text("D", "");
            });
        });
        assert_eq!(
            xml.into_string(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<A xmlns=\"urn:n\"><B>&lt;&amp;&gt;&quot;\u{FFFD}</B>\
             <C><D></D></C></A>"
        );
    }
}
