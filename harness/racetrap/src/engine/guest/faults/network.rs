//! The cable of the network by which the daemon reaches the guest. Without it, connections stay
//! open at both ends, and nothing arrives.

use serde_json::json;

use crate::engine::error::EngineError;
use crate::engine::guest::engine::Guest;

impl Guest {
    /// Plugs the cable in, or pulls it out. The network of the harness is another one.
    pub(super) async fn set_link(&self, is_up: bool) -> Result<(), EngineError> {
        self.qmp.run("set_link", json!({ "name": "nic0", "up": is_up })).await?;
        Ok(())
    }
}
