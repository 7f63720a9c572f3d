//! The n-th number of Fibonacci, by the slow definition: calls and branches. gRPC by h2, which Debian has; it has no tonic.

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Response};
use tokio::net::{TcpListener, TcpStream};

const MOST: u32 = 40;
const INVALID_ARGUMENT: &str = "3";
const UNIMPLEMENTED: &str = "12";
const INTERNAL: &str = "13";

type Failure = (&'static str, &'static str);

fn fibonacci(n: u32) -> u64 {
    if n < 2 {
        n as u64
    } else {
        fibonacci(n - 1) + fibonacci(n - 2)
    }
}

/// The text with the field number 1 of a message that has no other fields.
fn name(message: &[u8]) -> Option<&str> {
    match message {
        [] => Some(""),
        [0x0a, length, text @ ..] if *length < 128 && text.len() == *length as usize => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

fn answer(path: &str, body: &[u8]) -> Result<Bytes, Failure> {
    if path != "/fibonacci.Greeter/SayHello" {
        return Err((UNIMPLEMENTED, "there is no such method"));
    }
    if body.len() < 5 || body[0] != 0 {
        return Err((INTERNAL, "the request is not one message"));
    }
    let name = name(&body[5..]).ok_or((INTERNAL, "the request is no HelloRequest"))?;
    let n = name.parse().ok().filter(|n| *n <= MOST);
    let text = fibonacci(n.ok_or((INVALID_ARGUMENT, "the name is not a number from 0 to 40"))?).to_string();
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(text.len() as u32 + 2);
    message.put_slice(&[0x0a, text.len() as u8]);
    message.put_slice(text.as_bytes());
    Ok(message.freeze())
}

fn head() -> http::response::Builder {
    Response::builder().header("content-type", "application/grpc")
}

async fn respond(request: http::Request<h2::RecvStream>, mut reply: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let (parts, mut stream) = request.into_parts();
    let mut body = BytesMut::new();
    while let Some(part) = stream.data().await {
        let part = part?;
        stream.flow_control().release_capacity(part.len())?;
        body.extend_from_slice(&part);
    }
    match answer(parts.uri.path(), &body) {
        Ok(message) => {
            let mut out = reply.send_response(head().body(()).unwrap(), false)?;
            out.send_data(message, false)?;
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            out.send_trailers(trailers)
        }
        Err((status, text)) => {
            let head = head().header("grpc-status", status).header("grpc-message", text);
            reply.send_response(head.body(()).unwrap(), true).map(|_| ())
        }
    }
}

async fn serve(socket: TcpStream) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(socket).await?;
    while let Some(call) = connection.accept().await {
        let (request, reply) = call?;
        tokio::spawn(respond(request, reply));
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:50051".to_string());
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
        let listener = TcpListener::bind(&address).await?;
        println!("serving at {address}");
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            tokio::spawn(serve(socket));
        }
    })
}
