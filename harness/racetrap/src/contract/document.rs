//! The daemon's contract as data: its sections and its numbered promises.
//!
//! The documents docs/contract/*.md are written for people. Three forms in them are read here:
//! - a heading that begins with a number opens a chapter (`# 4. Engine mirror`) or a section
//!   (`## 4.2 Events`);
//! - a list item that begins with a number in bold is a promise (`- **4.2.8** Events are …`), with the
//!   indented lines behind it;
//! - so is a row of a table whose first cell is a number in bold (`| **4.2.1** | container | … |`).

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};
use racetrap_history::PromiseNumber;

static DOCUMENTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../docs/contract");

/// All sections and promises, in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    sections: BTreeMap<String, String>,
    promises: BTreeMap<PromiseNumber, String>,
}

/// A document of the contract cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// A file is not text.
    #[error("{document} is not UTF-8")]
    NotText {
        /// Path of the file.
        document: String,
    },
    /// A number names more than one chapter, section or promise.
    #[error("{document}: {number} is there twice")]
    Twice {
        /// Path of the file.
        document: String,
        /// The number.
        number: String,
    },
    /// A promise is not in the section that its number names.
    #[error("{document}: {number} is not in section {}", number.section())]
    Misplaced {
        /// Path of the file.
        document: String,
        /// The promise.
        number: PromiseNumber,
    },
}

impl Contract {
    /// The contract that this program was built with.
    ///
    /// # Errors
    /// If one of its documents is damaged; a test keeps that from being released.
    pub fn embedded() -> Result<Self, ContractError> {
        let mut documents = Vec::new();
        for file in DOCUMENTS.files() {
            let document = file.path().display().to_string();
            let Some(text) = file.contents_utf8() else {
                return Err(ContractError::NotText { document });
            };
            documents.push((document, text));
        }
        Self::parse(documents.iter().map(|(document, text)| (document.as_str(), *text)))
    }

    /// Reads documents, each with the path that an error names.
    ///
    /// # Errors
    /// If a number is there twice, or a promise is outside its section.
    pub fn parse<'a>(
        documents: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ContractError> {
        let mut contract = Self::default();
        for (document, text) in documents {
            contract.add(document, text)?;
        }
        Ok(contract)
    }

    fn add(&mut self, document: &str, text: &str) -> Result<(), ContractError> {
        let twice = |number: String| ContractError::Twice { document: document.to_owned(), number };
        // Numbers of the headings around the present line: a chapter, then a section of it.
        let mut open = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some((number, title)) = heading(line) {
                number.clone_into(&mut open);
                if self.sections.insert(number.to_owned(), title.to_owned()).is_some() {
                    return Err(twice(number.to_owned()));
                }
                continue;
            }
            let Some((number, mut promise)) = item(line).or_else(|| row(line)) else { continue };
            // The indented lines after an item belong to its promise. A row of a table is one line.
            while let Some(more) = lines.next_if(|line| line.starts_with("  ")) {
                promise.push(' ');
                promise.push_str(more.trim());
            }
            // Readers look for a promise in the section that its number names.
            if number.section() != open {
                let document = document.to_owned();
                return Err(ContractError::Misplaced { document, number });
            }
            if self.promises.insert(number, promise).is_some() {
                return Err(twice(number.to_string()));
            }
        }
        Ok(())
    }

    /// The promises with their texts, in the order of their numbers.
    pub fn promises(&self) -> impl Iterator<Item = (PromiseNumber, &str)> {
        self.promises.iter().map(|(number, text)| (*number, text.as_str()))
    }

    /// Whether the contract has a promise with that number.
    #[must_use]
    pub fn has(&self, promise: PromiseNumber) -> bool {
        self.promises.contains_key(&promise)
    }

    /// The title of a chapter (`4`) or section (`4.2`).
    #[must_use]
    pub fn title(&self, section: &str) -> Option<&str> {
        self.sections.get(section).map(String::as_str)
    }

    /// Whether a citation such as `4`, `4.2` or `4.2.7` names a chapter, a section or a promise.
    #[must_use]
    pub fn cites(&self, number: &str) -> bool {
        self.sections.contains_key(number) || number.parse().is_ok_and(|number| self.has(number))
    }
}

/// Number and title of a numbered heading. A chapter's number ends with a dot, which is not part of it.
fn heading(line: &str) -> Option<(&str, &str)> {
    let (number, title) = line.strip_prefix('#')?.trim_start_matches('#').trim().split_once(' ')?;
    let number = number.strip_suffix('.').unwrap_or(number);
    // Other headings also contain a space, so only a number makes it a chapter or a section.
    let numbers = number.split('.').all(|part| part.parse::<u8>().is_ok());
    numbers.then_some((number, title))
}

fn item(line: &str) -> Option<(PromiseNumber, String)> {
    let (number, text) = line.strip_prefix("- **")?.split_once("** ")?;
    Some((number.parse().ok()?, text.trim().to_owned()))
}

/// The cells behind the number, as one text.
fn row(line: &str) -> Option<(PromiseNumber, String)> {
    let mut cells = line.trim().strip_prefix('|')?.strip_suffix('|')?.split(" | ").map(str::trim);
    let number = cells.next()?.strip_prefix("**")?.strip_suffix("**")?.parse().ok()?;
    let cells: Vec<_> = cells.filter(|cell| !cell.is_empty()).collect();
    Some((number, cells.join(": ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Contract, ContractError> {
        Contract::parse([("a.md", text)])
    }

    // One of each form, and next to each a line that only looks like it.
    #[test]
    fn sections_promises_and_rows_are_read() {
        let contract = parse(
            "# 4. Mirror\n## 4.2 Events\n## Notes\n- **4.2.1** One\n  line.\n- **note** no promise\n\
             | Promise | Events |\n|---|---|\n| **4.2.10** | `create` | written |\n| 4.2.11 | no |\n",
        )
        .unwrap();
        assert_eq!((contract.title("4"), contract.title("4.2")), (Some("Mirror"), Some("Events")));
        let promises: Vec<_> = contract.promises().map(|(n, text)| (n.to_string(), text)).collect();
        let (first, second) = ("4.2.1".to_owned(), "4.2.10".to_owned());
        assert_eq!(promises, [(first, "One line."), (second, "`create`: written")]);
        assert!(["4", "4.2", "4.2.10"].iter().all(|number| contract.cites(number)));
        assert!(["5", "4.1", "4.2.2", "4.2.x"].iter().all(|number| !contract.cites(number)));
    }

    // Each text breaks one rule; the number in the error says which line.
    #[test]
    fn a_number_is_there_once_and_in_its_section() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(error("# 4. A\n# 4. B\n"), "a.md: 4 is there twice");
        let promises = "## 4.2 A\n- **4.2.1** a\n| **4.2.1** | b |\n";
        assert_eq!(error(promises), "a.md: 4.2.1 is there twice");
        assert_eq!(error("## 4.2 A\n- **4.3.1** a\n"), "a.md: 4.3.1 is not in section 4.3");
    }

    #[test]
    fn the_embedded_contract_can_be_read() {
        let contract = Contract::embedded().unwrap();
        assert!(contract.cites("1.2.4") && contract.cites("9"), "its first and last chapter");
        assert!(contract.promises().count() > 200, "{}", contract.promises().count());
    }
}
