//! An agent's life without any store: registered, suspended, judged.

use audit::Audited;
use kernel::{Standing, Timestamp};
use registry::{
    Agent, AgentPatch, AgentType, Capabilities, DeploymentEnv, Metadata, NewAgent, OtherAdmins,
    Resources, Role, Roles, StatusRequest, Update,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now: Timestamp = "2026-11-21T08:00:00Z".parse()?;
    let new = NewAgent {
        email: "screener@example.com".parse()?,
        agent_type: AgentType::Screener,
        version: "1.4.2".parse()?,
        capabilities: Capabilities::new(["resume:read".parse()?])?,
        owner: "hiring team".parse()?,
        deployment_env: DeploymentEnv::Production,
        roles: Roles::from_iter([Role::ResourceServer]),
        is_public: false,
        metadata: Metadata::default(),
        resources: Resources::new(["https://resumes.example.com".parse()?])?,
        dpop_bound_access_tokens: false,
    };
    let id = "0192f0c1-2f3a-7b4c-8d5e-6f708192a3b4".parse()?;
    let organization = "0192f0c1-2f3a-7b4c-8d5e-6f708192a3b5".parse()?;
    let agent = Agent::register(id, organization, new, None, now).into_after();
    assert_eq!(agent.grantable().to_string(), "resume:read tokens:introspect");

    let patch = AgentPatch { status: Some(StatusRequest::Suspended), ..AgentPatch::default() };
    let Update::Changed(change) = agent.update(patch, OtherAdmins::Some, now)? else {
        return Err("it was active".into());
    };
    assert_eq!(change.event().action().name(), "agent.suspended");
    assert_eq!(change.after().standing(), Standing::Ended);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_runs() {
        super::main().unwrap();
    }
}
