"""The optional user pool: nobody signs up, and nobody chooses an organisation."""

from __future__ import annotations

import json

from assessment.domain.access import Role
from tests.infrastructure.parsed import list_resources

COGNITO = ("UserPool", "UserPoolClient", "UserPoolGroup")


def test_nothing_of_it_is_there_unless_it_is_asked_for(template):
    assert template["Parameters"]["UserPool"]["Default"] == "false"
    for kind in COGNITO:
        resources = list(list_resources(template, f"AWS::Cognito::{kind}"))
        assert resources
        assert {resource["Condition"] for _, resource in resources} == {"HasUserPool"}


def test_it_is_no_second_issuer(template):
    (assertion,) = template["Rules"]["OneIssuer"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "OidcIssuer"}, ""]}


def test_nobody_signs_up(template):
    pool = template["Resources"]["AssessorPool"]
    assert pool["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["Properties"]["DeletionProtection"] == "ACTIVE"
    assert pool["DeletionPolicy"] == "Retain"


def test_users_read_their_organisation_and_do_not_write_it(template):
    client = template["Resources"]["AssessorPoolClient"]["Properties"]
    assert "custom:organisation" in client["ReadAttributes"]
    assert "custom:organisation" not in client["WriteAttributes"]


def test_groups_are_roles(template):
    groups = {
        each["Properties"]["GroupName"]
        for _, each in list_resources(template, "AWS::Cognito::UserPoolGroup")
    }
    # Judges are invited to a batch; no group makes one.
    assert groups == {role.value for role in Role} - {Role.JUDGE.value}


def test_the_authorizer_takes_the_pools_tokens_instead_of_an_issuers(functions):
    variables = functions["AuthorizeRequestFunction"]["Environment"]["Variables"]
    chosen = {
        name: value["Fn::If"][1] for name, value in variables.items() if name.startswith("OIDC_")
    }
    assert chosen == {
        "OIDC_ISSUER": {"Fn::GetAtt": ["AssessorPool", "ProviderURL"]},
        "OIDC_AUDIENCE": {"Ref": "AssessorPoolClient"},
        "OIDC_ORGANISATION_CLAIM": "custom:organisation",
        "OIDC_ROLES_CLAIM": "cognito:groups",
        "OIDC_ROLE_PREFIX": "",
    }


def test_its_tokens_live_no_longer_than_tokens_may(template):
    client = template["Resources"]["AssessorPoolClient"]["Properties"]
    assert client["TokenValidityUnits"]["IdToken"] == "hours"
    assert client["IdTokenValidity"] <= template["Parameters"]["MaxTokenHours"]["Default"]


def test_people_sign_in_on_the_pages_where_the_pool_has_an_address(template, functions):
    variables = functions["HandleApiFunction"]["Environment"]["Variables"]
    chosen = {
        name: value["Fn::If"][:2] for name, value in variables.items() if name.startswith("OIDC_")
    }
    client = {"Ref": "AssessorPoolClient"}
    assert chosen == {
        "OIDC_ISSUER": ["HasPoolPages", {"Fn::GetAtt": ["AssessorPool", "ProviderURL"]}],
        "OIDC_AUDIENCE": ["HasPoolPages", client],
        "OIDC_CLIENT_ID": ["HasPoolPages", client],
        "OIDC_SCOPE": ["HasPoolPages", "openid"],
    }
    ((_, domain),) = list_resources(template, "AWS::Cognito::UserPoolDomain")
    assert domain["Condition"] == "HasPoolPages"
    properties = template["Resources"]["AssessorPoolClient"]["Properties"]
    assert properties["AllowedOAuthFlows"]["Fn::If"][1] == ["code"]
    assert properties["CallbackURLs"]["Fn::If"][1] == [{"Ref": "UserPoolPages"}]
    assert properties["GenerateSecret"] is False, "a page keeps no secret; it has PKCE"


def test_the_address_of_the_pool_needs_the_pages(template):
    rule = template["Rules"]["PagesOfThePool"]
    assert {json.dumps(each["Assert"], sort_keys=True) for each in rule["Assertions"]} == {
        json.dumps({"Fn::Equals": [{"Ref": "UserPool"}, "true"]}),
        json.dumps({"Fn::Not": [{"Fn::Equals": [{"Ref": "UserPoolPages"}, ""]}]}),
    }
