//! The shape of replies.

use crate::app::TestApp;
use sessiond::http::exchange::{JSON, TEXT};

#[tokio::test]
async fn json_and_text_end_with_a_newline_and_say_what_they_are() {
    let app = TestApp::new().await;
    let json = app.get("/recipe/session/user?userId=u").await;
    assert_eq!((json.0.content_type, JSON), (JSON, "application/json; charset=UTF-8"));
    assert!(json.body().ends_with("}\n"));
    let text = app.get("/none").await;
    assert_eq!((text.0.content_type, TEXT), (TEXT, "text/plain; charset=UTF-8"));
    assert_eq!(text.body(), "Not found\n");
}
