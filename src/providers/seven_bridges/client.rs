//! The client of Seven Bridges.

use async_trait::async_trait;

use crate::model::connection::Account;
use crate::model::error::{Doing, Error, Result};
use crate::model::form::Form;
use crate::model::ids::PipelineId;
use crate::model::meter::Meter;
use crate::model::pipeline::Pipeline;
use crate::model::provider::Budget;
use crate::model::remote::{
    Found, Gathered, Gathering, JobReport, Link, ListedJob, Lost, Output, Page, Query, RemoteJob,
    StagedFile, Submission, Upload,
};
use crate::net::api::Api;
use crate::net::commit_point::CommitPoint;
use crate::net::keep::Keep;
use crate::providers::Provider;

/// One account behind one connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) api: Api,
}

#[async_trait]
impl Provider for Client {
    async fn check(&self) -> Result<Account> {
        Err(Error::unsupported(Doing::CheckKey))
    }

    async fn pipelines(&self) -> Result<Vec<Pipeline>> {
        Err(Error::unsupported(Doing::ListPipelines))
    }

    async fn form(&self, _pipeline: &PipelineId) -> Result<Form> {
        Err(Error::unsupported(Doing::ReadForm))
    }

    async fn browse(&self, _query: &Query) -> Result<Page<StagedFile>> {
        Err(Error::unsupported(Doing::Browse))
    }

    async fn stage(&self, _upload: &Upload, _keep: &Keep, _meter: &Meter) -> Result<StagedFile> {
        Err(Error::unsupported(Doing::Upload))
    }

    async fn gather(&self, _gathering: &Gathering) -> Result<Gathered> {
        Err(Error::unsupported(Doing::Upload))
    }

    async fn submit(
        &self,
        _submission: &Submission,
        _commit: &CommitPoint,
        _meter: &Meter,
    ) -> Result<RemoteJob> {
        Err(Error::unsupported(Doing::Submit))
    }

    async fn find(&self, _lost: &Lost) -> Result<Found> {
        Err(Error::unsupported(Doing::FindSubmission))
    }

    async fn jobs(&self, _query: &Query) -> Result<Page<ListedJob>> {
        Err(Error::unsupported(Doing::Browse))
    }

    async fn job(&self, _id: &str) -> Result<ListedJob> {
        Err(Error::unsupported(Doing::Browse))
    }

    async fn status(&self, _jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>> {
        Err(Error::unsupported(Doing::Poll))
    }

    async fn cancel(&self, _job: &RemoteJob) -> Result<()> {
        Err(Error::unsupported(Doing::Cancel))
    }

    async fn outputs(&self, _job: &RemoteJob) -> Result<Vec<Output>> {
        Err(Error::unsupported(Doing::ListOutputs))
    }

    async fn link(&self, _job: &RemoteJob, _output: &Output) -> Result<Link> {
        Err(Error::unsupported(Doing::PrepareResult))
    }

    fn budget(&self) -> Option<Budget> {
        None
    }
}
