//! What a user of the engine does with images.

use bollard::models::ContainerConfig;
use bollard::query_parameters::{
    BuildImageOptionsBuilder, CommitContainerOptionsBuilder, ImportImageOptions,
    ListImagesOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use futures::StreamExt as _;
use racetrap_history::{BuildImage, IMAGE_LABEL};
use racetrap_images::ImageSpec;

use super::client::found;
use super::workload::{Workload, WorkloadError};

impl Workload {
    /// Loads a small image. Its alias is its variant, so two aliases never have the same ID.
    pub(crate) async fn load_image(&mut self, image: &ImageSpec) -> Result<(), WorkloadError> {
        let archive = bollard::body_full(racetrap_images::archive(image).into());
        let options = ImportImageOptions::default();
        let mut progress = std::pin::pin!(self.docker().import_image(options, archive, None));
        while let Some(line) = progress.next().await {
            line?;
        }
        self.name_image(&image.variant).await
    }

    /// Builds an image from another one, by the engine's own builder and a context that has only a
    /// Dockerfile.
    pub(crate) async fn build(&mut self, build: &BuildImage) -> Result<(), WorkloadError> {
        let BuildImage { image, from, tag, labels } = build;
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let labels = labels.chain([(IMAGE_LABEL, image.as_str())]);
        let labels: Vec<_> =
            labels.map(|(name, value)| format!("{}={}", quoted(name), quoted(value))).collect();
        // All labels in one instruction, so that the build makes one image and none on its way.
        let dockerfile = format!("FROM {}\nLABEL {}\n", self.id(from)?, labels.join(" "));
        let context = tar_of("Dockerfile", dockerfile.as_bytes())?;
        let options = BuildImageOptionsBuilder::default().rm(true);
        let options = tag.iter().fold(options, |options, tag| options.t(tag)).build();
        let body = bollard::body_full(context.into());
        {
            let mut progress = std::pin::pin!(self.docker().build_image(options, None, Some(body)));
            while let Some(line) = progress.next().await {
                line?;
            }
        }
        self.name_image(image).await
    }

    /// Makes an image of a container. A label carries its alias.
    pub(crate) async fn commit(
        &mut self,
        container: &str,
        image: &str,
        tag: Option<&str>,
    ) -> Result<(), WorkloadError> {
        let label = format!("LABEL \"{IMAGE_LABEL}\"={}", serde_json::Value::from(image));
        let options = CommitContainerOptionsBuilder::default()
            .container(self.handle(container))
            .changes(&label);
        let options = match tag.map(split_tag) {
            Some((repository, version)) => options.repo(repository).tag(version),
            None => options,
        };
        self.docker().commit_container(options.build(), ContainerConfig::default()).await?;
        self.name_image(image).await
    }

    /// Takes the ID of an image that now carries this alias. It is asked for by a label, because it
    /// depends on the image store which digest is the ID.
    async fn name_image(&mut self, alias: &str) -> Result<(), WorkloadError> {
        let options = ListImagesOptionsBuilder::default().all(true).build();
        let listed = self.docker().list_images(Some(options)).await?;
        let labelled = listed
            .into_iter()
            .find(|image| image.labels.get(IMAGE_LABEL).is_some_and(|label| label == alias));
        let labelled = labelled.ok_or_else(|| WorkloadError::NotListed(alias.to_owned()))?;
        self.name(alias, labelled.id);
        Ok(())
    }

    /// Gives a name to the container or image that a docker command has made, from the last line that
    /// the command printed: its ID, its name or its tag. Returns the ID.
    pub(crate) async fn name_printed(
        &mut self,
        alias: &str,
        printed: &str,
    ) -> Result<String, WorkloadError> {
        let reference = printed.lines().map(str::trim).rfind(|line| !line.is_empty());
        let reference = reference.unwrap_or_default();
        let unknown = || WorkloadError::NotPrinted(alias.to_owned(), reference.to_owned());
        if reference.is_empty() || reference.contains(char::is_whitespace) {
            return Err(unknown());
        }
        let options = None::<bollard::query_parameters::InspectContainerOptions>;
        let container = found(self.docker().inspect_container(reference, options).await)?;
        let id = match container {
            Some(container) => container.id,
            None => found(self.docker().inspect_image(reference).await)?.and_then(|it| it.id),
        };
        let id = id.ok_or_else(unknown)?;
        self.name_only_here(alias, id.clone());
        Ok(id)
    }

    /// Adds a tag such as `base:2` to an image.
    pub(crate) async fn tag(&self, image: &str, tag: &str) -> Result<(), WorkloadError> {
        let (repository, version) = split_tag(tag);
        let options = TagImageOptionsBuilder::default().repo(repository).tag(version).build();
        Ok(self.docker().tag_image(self.id(image)?, Some(options)).await?)
    }

    /// Removes the tag `name`, or the image if `name` is its ID.
    pub(crate) async fn remove_image(&self, name: &str, force: bool) -> Result<(), WorkloadError> {
        let options = RemoveImageOptionsBuilder::default().force(force).build();
        self.docker().remove_image(name, Some(options), None).await?;
        Ok(())
    }
}

/// Repository and version of a tag.
fn split_tag(tag: &str) -> (&str, &str) {
    // A colon before a slash is part of the registry's address.
    tag.rsplit_once(':').filter(|(_, version)| !version.contains('/')).unwrap_or((tag, "latest"))
}

/// A tar archive with one file.
fn tar_of(name: &str, content: &[u8]) -> Result<Vec<u8>, WorkloadError> {
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    header.set_mtime(0);
    let mut archive = tar::Builder::new(Vec::new());
    let packed =
        archive.append_data(&mut header, name, content).and_then(|()| archive.into_inner());
    packed.map_err(WorkloadError::Context)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("base:1", ("base", "1"))]
    #[case("base", ("base", "latest"))]
    #[case("localhost:5000/base", ("localhost:5000/base", "latest"))]
    #[case("localhost:5000/base:2", ("localhost:5000/base", "2"))]
    fn a_tag_is_split_at_its_last_colon(#[case] tag: &str, #[case] parts: (&str, &str)) {
        assert_eq!(split_tag(tag), parts);
    }

    #[test]
    fn the_context_of_a_build_has_its_file() {
        let bytes = tar_of("Dockerfile", b"FROM x\n").expect("memory");
        let mut archive = tar::Archive::new(&*bytes);
        let mut entry = archive.entries().expect("a tar").next().expect("a file").expect("whole");
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        assert_eq!(text, "FROM x\n");
    }
}
