//! `admin.json`: the first admin's credential, written before the admin exists for good.
//!
//! The secret exists nowhere else in the clear. Written after the commit, it would be lost for
//! good if the process ended in between; so it is written before, under another name, and gets
//! its own name once the commit is through. A start that finds the other name finishes the work.

use std::{
    error::Error as StdError,
    fs, io,
    path::{Path, PathBuf},
};

use kernel::{AgentId, ExposeSecret};
use serde_json::{Value, json};
use usecases::bootstrap::{Founded, SecretKeeper};

use crate::{data_folder::DataFolder, private_file};

/// Where the admin's credential is kept.
#[derive(Debug)]
pub struct AdminFile {
    path: PathBuf,
    pending: PathBuf,
    token_url: String,
}

/// The credential as `bootstrap` prints it and `admin.json` holds it.
#[must_use]
pub fn content(founded: &Founded, token_url: &str) -> Value {
    json!({
        "organizationId": founded.organization.to_string(),
        "agentId": founded.admin.to_string(),
        "clientId": founded.admin.to_string(),
        "clientSecret": founded.secret.expose_secret(),
        "tokenUrl": token_url,
    })
}

impl AdminFile {
    /// The file in this data folder.
    #[must_use]
    pub fn new(folder: &DataFolder, token_url: String) -> Self {
        Self {
            path: folder.file("admin.json"),
            pending: folder.file("admin.json.pending"),
            token_url,
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, now that the admin exists.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn publish(&self) -> io::Result<()> {
        fs::rename(&self.pending, &self.path)?;
        private_file::sync_folder_of(&self.path)
    }

    /// The admin whose credential waits for its name, left by a start that was cut short.
    #[must_use]
    pub fn left_pending(&self) -> Option<AgentId> {
        let text = fs::read(&self.pending).ok()?;
        let value: Value = serde_json::from_slice(&text).ok()?;
        value.get("agentId")?.as_str()?.parse().ok()
    }
}

impl SecretKeeper for AdminFile {
    fn keep(&self, founded: &Founded) -> Result<(), Box<dyn StdError + Send + Sync>> {
        let text = format!("{:#}\n", content(founded, &self.token_url));
        Ok(private_file::write(&self.pending, text.as_bytes())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Secret;

    fn founded() -> Founded {
        Founded {
            organization: "018bcfe5-687b-7001-8203-04050607080a".parse().unwrap(),
            admin: "018bcfe5-687b-7001-8203-040506070809".parse().unwrap(),
            secret: Secret::from("idp_sk_x".to_owned()),
        }
    }

    #[test]
    fn the_secret_waits_under_another_name_until_the_admin_exists() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::ensure(folder.path()).unwrap();
        let file = AdminFile::new(&data, "http://127.0.0.1:3000/api/v1/token".to_owned());
        assert_eq!(file.left_pending(), None);
        file.keep(&founded()).unwrap();
        assert_eq!(file.left_pending(), Some(founded().admin));
        assert!(!file.path().exists());
        file.publish().unwrap();
        assert_eq!(file.left_pending(), None);
        let kept: Value = serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
        assert_eq!(kept, content(&founded(), "http://127.0.0.1:3000/api/v1/token"));
    }
}
