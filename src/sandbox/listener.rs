//! A loopback listener whose connections can be cut from inside a handler.
//!
//! Owns the socket side of lost answers: a handler that has done its work can pull the plug
//! instead of answering, and the client sees a reset connection. Does not decide when.

use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Accepts connections on one loopback address.
#[derive(Debug)]
pub struct KillableListener {
    inner: TcpListener,
    address: SocketAddr,
    stop: CancellationToken,
}

impl KillableListener {
    /// Binds `address`; connections are cut when `stop` is cancelled.
    pub async fn bind(address: SocketAddr, stop: CancellationToken) -> io::Result<Self> {
        let inner = TcpListener::bind(address).await?;
        let address = inner.local_addr()?;
        Ok(Self {
            inner,
            address,
            stop,
        })
    }

    /// The address really bound, with the port the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Listener for KillableListener {
    type Io = KillableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.inner).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
        let switch = self.stop.child_token();
        let stream = KillableStream {
            inner: stream,
            killed: Box::pin(switch.clone().cancelled_owned()),
            switch,
        };
        (stream, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

/// What a handler gets of the connection it is called on: the means to cut it.
#[derive(Debug, Clone)]
pub struct Connection {
    switch: CancellationToken,
}

impl Connection {
    /// Cuts the connection with a reset; whatever the handler returns is not sent.
    pub fn kill(&self) {
        self.switch.cancel();
    }

    /// Waits until the connection is cut, by [`Connection::kill`] or because the sandbox stops.
    pub async fn killed(&self) {
        self.switch.cancelled().await;
    }
}

impl Connected<IncomingStream<'_, KillableListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, KillableListener>) -> Self {
        Self {
            switch: stream.io().switch.clone(),
        }
    }
}

/// A TCP stream that fails as soon as its switch is thrown.
#[derive(Debug)]
pub struct KillableStream {
    inner: TcpStream,
    switch: CancellationToken,
    killed: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl KillableStream {
    /// Fails once killed, and otherwise makes sure the task is woken when it is.
    fn poll_alive(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.killed.as_mut().poll(context).is_pending() {
            return Ok(());
        }
        // Closing with a zero linger time sends a reset instead of an orderly end.
        self.inner.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for KillableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_alive(context)?;
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for KillableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_alive(context)?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_alive(context)?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_alive(context)?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_alive(context)?;
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }
}
