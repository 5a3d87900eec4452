//! [`NewCode`]: a code with its secrets, which exist only until they are handed out.

use super::{CodeId, DeviceHash, DeviceId, LinkCode};
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;

/// A code to be sent.
pub struct NewCode {
    /// Its public id.
    pub id: CodeId,
    /// The public id of the device.
    pub pre_auth_session: DeviceHash,
    /// The device's secret, for the client that began the sign-in.
    pub device: DeviceId,
    /// The code to type in on that device.
    pub input_code: Secret<String>,
    /// The code of the link, which can be followed anywhere.
    pub link_code: LinkCode,
    /// When it was created.
    pub created: UnixMillis,
}
