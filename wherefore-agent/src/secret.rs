//! Secrets in options. Owns where they are read from, and that they are never shown; refuses to be printed,
//! even with `{:?}`.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail};

/// The text that is shown in place of a secret.
pub const HIDDEN: &str = "(hidden)";

/// A secret: its text, or `file:PATH` or `env:NAME` where it can be read.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Reads the secret.
    ///
    /// # Errors
    /// If the file can't be read or the variable is not set; the message names them.
    pub fn reveal(&self) -> Result<String> {
        let secret = if let Some(path) = self.0.strip_prefix("file:") {
            let text = std::fs::read_to_string(path);
            let text = text.with_context(|| format!("cannot read the secret in {path}"))?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        } else if let Some(name) = self.0.strip_prefix("env:") {
            std::env::var(name).ok().with_context(|| format!("the variable {name} is not set"))?
        } else {
            self.0.clone()
        };
        if secret.is_empty() {
            bail!("the secret is empty");
        }
        Ok(secret)
    }

    /// Where the secret is stored; for a URL, its server. This may be shown.
    pub fn place(&self) -> String {
        if self.0.starts_with("file:") || self.0.starts_with("env:") {
            return self.0.clone();
        }
        let url = reqwest::Url::parse(&self.0).ok();
        url.map_or_else(String::new, |url| url.origin().ascii_serialization())
    }
}

/// Secrets in files never compare as equal, because the content of a file may have changed.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 && !self.0.starts_with("file:")
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        let Ok(secret) = text.parse();
        secret
    }

    #[test]
    fn a_place_holds_no_secret() {
        for (text, place) in [
            ("https://user:xyzzy@h:8443/xyzzy?xyzzy", "https://h:8443"),
            ("xyzzy", ""),
            ("file:/run/secrets/slack", "file:/run/secrets/slack"),
            ("env:SLACK", "env:SLACK"),
        ] {
            assert_eq!(secret(text).place(), place);
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret = secret("xyzzy");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(secret.reveal().unwrap(), "xyzzy");
    }

    #[test]
    fn files_lose_their_last_newline_and_errors_name_them() {
        let path = std::env::temp_dir().join(format!("wherefore-secret-{}", std::process::id()));
        std::fs::write(&path, "xyzzy\n").unwrap();
        let from_file = secret(&format!("file:{}", path.display()));
        assert_eq!(from_file.reveal().unwrap(), "xyzzy");
        assert_ne!(from_file, from_file.clone());
        std::fs::remove_file(&path).unwrap();
        let error = format!("{:#}", from_file.reveal().unwrap_err());
        assert!(error.contains(&path.display().to_string()), "{error}");
    }

    #[test]
    fn variables_are_read_and_errors_name_them() {
        assert_eq!(secret("env:CARGO_PKG_NAME").reveal().unwrap(), "wherefore-agent");
        let error = secret("env:WHEREFORE_NOT_SET").reveal().unwrap_err().to_string();
        assert!(error.contains("WHEREFORE_NOT_SET"), "{error}");
        assert!(secret("").reveal().is_err());
    }
}
