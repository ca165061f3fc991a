//! Removes all that an engine holds.

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptions,
    RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptions,
};

use super::WorkloadError;

/// Removes containers, also running ones, then images and volumes.
///
/// # Errors
/// Where the engine refuses to remove what it holds.
pub(crate) async fn empty(docker: &Docker) -> Result<(), WorkloadError> {
    let all = ListContainersOptionsBuilder::default().all(true).build();
    for container in docker.list_containers(Some(all)).await? {
        let forced = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let id = container.id.unwrap_or_default();
        unless_gone(docker.remove_container(&id, Some(forced)).await)?;
    }
    let all = ListImagesOptionsBuilder::default().all(true).build();
    for image in docker.list_images(Some(all)).await? {
        let forced = RemoveImageOptionsBuilder::default().force(true).build();
        unless_gone(docker.remove_image(&image.id, Some(forced), None).await.map(drop))?;
    }
    let listed = docker.list_volumes(None::<ListVolumesOptions>).await?;
    for volume in listed.volumes.unwrap_or_default() {
        let options = None::<RemoveVolumeOptions>;
        unless_gone(docker.remove_volume(&volume.name, options).await)?;
    }
    Ok(())
}

/// What is gone already is what is wanted: an image goes with its last child.
fn unless_gone(removed: Result<(), Error>) -> Result<(), Error> {
    match removed {
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        other => other,
    }
}
