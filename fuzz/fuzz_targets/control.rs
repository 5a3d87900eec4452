//! Lines of the control socket: requests as a server reads them, and replies as the command line reads them.
//!
//! Whatever can be parsed can be serialised again. Tasks are executed, except for those that name files; if one fails,
//! its error must be a readable message.
#![no_main]

use sessiond::control::{Frame, Request, Task};
use sessiond_fuzz::SERVER;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(frame) = serde_json::from_str::<Frame>(text) {
        let again = serde_json::to_string(&frame).expect("JSON");
        serde_json::from_str::<Frame>(&again).expect("what is serialised can be parsed");
    }
    let Ok(request) = serde_json::from_str::<Request>(text) else { return };
    let again = serde_json::to_string(&request).expect("JSON");
    assert!(!again.contains('\n'), "a request is one line");
    serde_json::from_str::<Request>(&again).expect("what is serialised can be parsed");
    match request {
        Request::Task(Task::AppsExport { .. } | Task::AppsImport(_)) => {}
        Request::Task(task) => drop(SERVER.task(task)),
        _ => {}
    }
});
