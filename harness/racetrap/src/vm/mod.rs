//! Virtual machines in which a Linux guest boots: how their images and templates are made, and how
//! a running one is talked to. It starts no machine of a world; the engine does.
//!
//! - `version`: which guests can be built;
//! - `images`: the images in the user's cache; `build`: makes one by the recipe in `fixtures/vm`;
//! - `machine`: the arguments of QEMU, in which every device is listed;
//! - `template`: a guest that has booted, frozen, from which each world forks its own;
//! - `limactl`: an installed Lima, which boots a guest in its own way;
//! - `qmp`: changes a running machine; `agent`: runs commands in its guest;
//! - `error`: why a guest could not be built, started or asked.

mod agent;
mod build;
mod error;
mod images;
mod limactl;
mod machine;
mod qmp;
mod template;
mod version;

pub(crate) use agent::Agent;
pub use error::VmError;
pub(crate) use images::{Image, Images, ListedImage};
pub(crate) use limactl::Limactl;
pub(crate) use machine::{
    DAEMON_ADDRESS, HARNESS_ADDRESS, LIMA_ADDRESS, Machine, MachineFiles, lima_program,
};
pub(crate) use qmp::Qmp;
pub(crate) use template::Template;
pub use version::{GuestVersion, NoSuchGuest};
