//! Removes everything that an engine holds.

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptions,
    RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptions,
};

use super::WorkloadError;
use super::client::found;

/// Removes all containers, also running ones, then all images and volumes: the engine refuses to
/// remove what a container uses. An object that is gone already is no error: an image, for example,
/// goes together with its last child.
///
/// # Errors
/// If the engine refuses to remove an object.
pub(crate) async fn remove_everything(docker: &Docker) -> Result<(), WorkloadError> {
    let all = ListContainersOptionsBuilder::default().all(true).build();
    for container in docker.list_containers(Some(all)).await? {
        let forced = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let id = container.id.unwrap_or_default();
        found(docker.remove_container(&id, Some(forced)).await)?;
    }
    let all = ListImagesOptionsBuilder::default().all(true).build();
    for image in docker.list_images(Some(all)).await? {
        let forced = RemoveImageOptionsBuilder::default().force(true).build();
        found(docker.remove_image(&image.id, Some(forced), None).await)?;
    }
    let listed = docker.list_volumes(None::<ListVolumesOptions>).await?;
    for volume in listed.volumes.unwrap_or_default() {
        let options = None::<RemoveVolumeOptions>;
        found(docker.remove_volume(&volume.name, options).await)?;
    }
    Ok(())
}
