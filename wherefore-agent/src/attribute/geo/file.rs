//! Reads a user's own file in the MaxMind format, of any publisher: MaxMind (`country.iso_code`,
//! `autonomous_system_number`), DB-IP, IPinfo (`country_code`, `asn`), IPLocate. Owns the names of their
//! fields. The whole file is read into memory: replacing or truncating it later does no harm.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use maxminddb::Reader;
use serde::Deserialize;

use super::record::{Country, GeoRecord};

/// Folders that are searched for files, in this order.
const FOLDERS: [&str; 3] = ["/var/lib/GeoIP", "/usr/share/GeoIP", "/usr/local/share/GeoIP"];

/// Words in a file's name that show its content.
const WORDS: [&str; 4] = ["country", "asn", "city", "ipinfo"];

/// The largest file that is read.
const MOST_BYTES: u64 = 1 << 30;

/// An open file.
#[derive(Debug)]
pub(super) struct GeoFile {
    path: PathBuf,
    reader: Reader<Vec<u8>>,
}

/// The fields of a record that are used; others are ignored.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Record<'a> {
    #[serde(borrow)]
    country: Option<CountryField<'a>>,
    #[serde(borrow)]
    registered_country: Option<CountryField<'a>>,
    country_code: Option<&'a str>,
    autonomous_system_number: Option<u32>,
    autonomous_system_organization: Option<&'a str>,
    asn: Option<Number<'a>>,
    as_name: Option<&'a str>,
    name: Option<&'a str>,
    org: Option<&'a str>,
}

/// `{"iso_code": "DE"}`, or only the letters.
#[derive(Deserialize)]
#[serde(untagged)]
enum CountryField<'a> {
    Letters(&'a str),
    Map {
        #[serde(borrow, default)]
        iso_code: Option<&'a str>,
    },
}

/// `15169` or `AS15169`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number<'a> {
    Number(u32),
    Text(&'a str),
}

impl GeoFile {
    /// Opens a file.
    ///
    /// # Errors
    /// If it can't be read, or has an unknown format.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = || format!("cannot read the addresses' countries from {}", path.display());
        let length = path.metadata().with_context(failed)?.len();
        anyhow::ensure!(length <= MOST_BYTES, "{} is larger than 1 GiB", path.display());
        let reader = Reader::open_readfile(path).with_context(failed)?;
        Ok(Self { path: path.to_owned(), reader })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The date of its data.
    pub(super) fn date(&self) -> String {
        let seconds = i64::try_from(self.reader.metadata().build_epoch).unwrap_or(i64::MAX);
        crate::text::rfc3339(seconds.saturating_mul(1_000_000_000)).chars().take(10).collect()
    }

    /// Looks up an address in this file.
    pub(super) fn find(&self, address: IpAddr) -> GeoRecord<'_> {
        let record = self.reader.lookup(address).and_then(|found| found.decode::<Record<'_>>());
        let Ok(Some(record)) = record else { return GeoRecord::default() };
        let field = |field: Option<CountryField<'_>>| match field? {
            CountryField::Letters(letters) => Country::new(letters),
            CountryField::Map { iso_code } => Country::new(iso_code?),
        };
        let country = field(record.country).or_else(|| field(record.registered_country));
        let country = country.or_else(|| record.country_code.and_then(Country::new));
        let asn = record.autonomous_system_number.or_else(|| record.asn.and_then(Number::value));
        let names =
            [record.autonomous_system_organization, record.as_name, record.name, record.org];
        let as_name = names.into_iter().flatten().find(|name| !name.is_empty());
        GeoRecord { country, asn, as_name: as_name.filter(|_| asn.is_some()) }
    }
}

impl Number<'_> {
    fn value(self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(number),
            Self::Text(text) => text.trim_start_matches(['A', 'S', 'a', 's']).parse().ok(),
        }
    }
}

/// The files in the usual folders; of several with the same name only one.
pub(super) fn usual() -> Vec<PathBuf> {
    let entries = FOLDERS.into_iter().filter_map(|folder| std::fs::read_dir(folder).ok());
    let paths = entries.flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<_> = paths.filter(|path| is_of_interest(path)).collect();
    // Files with only countries and AS are smaller than files with cities.
    paths.sort_by_key(|path| rank(path));
    paths.dedup_by_key(|path| rank(path));
    paths
}

fn is_of_interest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "mmdb") && rank(path) < WORDS.len()
}

fn rank(path: &Path) -> usize {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    WORDS.into_iter().position(|word| name.contains(word)).unwrap_or(WORDS.len())
}

/// Opens a file that the user did not name; skips it if it cannot be read.
pub(super) fn try_open(path: &Path) -> Option<GeoFile> {
    match GeoFile::open(path) {
        Ok(file) => Some(file),
        Err(error) => {
            tracing::warn!(
                error = format!("{error:#}"),
                "skipping a file of countries and AS that cannot be read"
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        let len = text.len() as u8;
        // From 29 bytes on, the length has a byte of its own.
        let head = if len < 29 { vec![2 << 5 | len] } else { vec![2 << 5 | 29, len - 29] };
        [&head, text.as_bytes()].concat()
    }

    fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let entries = entries.iter().map(|(key, value)| [text(key), value.clone()].concat());
        [vec![7 << 5 | entries.len() as u8], entries.collect::<Vec<_>>().concat()].concat()
    }

    fn number(bytes: u32) -> Vec<u8> {
        [&[6 << 5 | 4], &bytes.to_be_bytes()[..]].concat()
    }

    /// A file with one record for the addresses below 128.0.0.0 and another for the rest.
    fn file(name: &str, records: [Vec<u8>; 2]) -> PathBuf {
        let pointers = [1 + 16, 1 + 16 + records[0].len() as u32];
        let tree = pointers.map(|pointer| pointer.to_be_bytes()[1..].to_vec()).concat();
        let metadata = map(&[
            ("binary_format_major_version", vec![5 << 5 | 1, 2]),
            ("binary_format_minor_version", vec![5 << 5]),
            ("build_epoch", [&[4, 2], &1_700_000_000u32.to_be_bytes()[..]].concat()),
            ("database_type", text("Test")),
            ("description", map(&[])),
            ("ip_version", vec![5 << 5 | 1, 4]),
            ("languages", vec![0, 4]),
            ("node_count", number(1)),
            ("record_size", vec![5 << 5 | 1, 24]),
        ]);
        let marker = b"\xab\xcd\xefMaxMind.com".to_vec();
        let bytes = [tree, vec![0; 16], records.concat(), marker, metadata].concat();
        let path = std::env::temp_dir().join(format!("wherefore-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn both_schemas_are_read() {
        let maxmind = map(&[
            ("country", map(&[("geoname_id", number(7)), ("iso_code", text("DE"))])),
            ("autonomous_system_number", number(64500)),
            ("autonomous_system_organization", text("Example")),
        ]);
        let ipinfo =
            map(&[("country", text("FR")), ("asn", text("AS64501")), ("as_name", text("Exemple"))]);
        let path = file("both.mmdb", [maxmind, ipinfo]);
        let file = GeoFile::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let find = |address: &str| file.find(address.parse().unwrap());
        let country = |letters| Country::new(letters);
        let expected =
            GeoRecord { country: country("DE"), asn: Some(64500), as_name: Some("Example") };
        assert_eq!(find("8.8.8.8"), expected);
        let expected =
            GeoRecord { country: country("FR"), asn: Some(64501), as_name: Some("Exemple") };
        assert_eq!(find("192.0.2.1"), expected);
        assert_eq!(find("2001:db8::1"), GeoRecord::default());
        assert_eq!(file.date(), "2023-11-14");
    }

    #[test]
    fn a_country_alone_is_read_and_other_files_are_refused() {
        let country = map(&[("country_code", text("se"))]);
        let path = file("one.mmdb", [country, map(&[])]);
        let found = GeoFile::open(&path).unwrap();
        let expected = GeoRecord { country: Country::new("SE"), ..GeoRecord::default() };
        assert_eq!(found.find("8.8.8.8".parse().unwrap()), expected);
        assert_eq!(found.find("192.0.2.1".parse().unwrap()), GeoRecord::default());
        std::fs::write(&path, "no such file").unwrap();
        let error = format!("{:#}", GeoFile::open(&path).unwrap_err());
        assert!(error.contains(&path.display().to_string()), "{error}");
        std::fs::remove_file(&path).unwrap();
    }
}
