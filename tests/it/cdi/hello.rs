//! `/hello` and the root.

use crate::app::TestApp;
use http::Method;

#[tokio::test]
async fn hello_answers_every_method_in_text() {
    let app = TestApp::new().await;
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
        app.request(method, "/hello").await.is_text(200, "Hello");
    }
}
