"""
The use cases: what institutions and patients come to do.

They see the outside through `ledger.ports` alone, and know nothing of HTTP, SQL or RPC.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.ports import Chain, Index, Vault, Writer
from ledger.service.access import AccessLog
from ledger.service.agreements import Agreements
from ledger.service.attestations import Attestations
from ledger.service.borders import Borders
from ledger.service.committee import Committee
from ledger.service.consents import Consents
from ledger.service.datasets import Datasets
from ledger.service.decisions import Decisions
from ledger.service.emergencies import Emergencies
from ledger.service.holders import Holders
from ledger.service.lineage import Lineage
from ledger.service.lineage_documents import LineageDocuments
from ledger.service.members import Members
from ledger.service.permissions import Permissions
from ledger.service.projects import Projects
from ledger.service.provenance import Provenance
from ledger.service.records import Records
from ledger.service.releases import Releases
from ledger.service.signatures import Passkeys, Signatures
from ledger.service.templates import Templates
from ledger.service.transfers import Transfers
from ledger.service.walks import Walks


@dataclass(frozen=True, slots=True)
class Service:
    """All use cases over one set of adapters."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault
    committee: Committee
    members: Members
    records: Records
    signatures: Signatures
    templates: Templates
    consents: Consents
    holders: Holders
    projects: Projects
    decisions: Decisions
    releases: Releases
    transfers: Transfers
    emergencies: Emergencies
    attestations: Attestations
    access: AccessLog
    permissions: Permissions
    provenance: Provenance
    datasets: Datasets
    lineage: Lineage
    walks: Walks
    lineage_documents: LineageDocuments
    agreements: Agreements
    borders: Borders

    @classmethod
    def over(
        cls, *, chain: Chain, index: Index, writer: Writer, vault: Vault, passkeys: Passkeys | None = None
    ) -> Service:
        """Put the use cases together over the given adapters; *passkeys* says where those may be used."""
        committee = Committee(chain=chain, index=index, writer=writer, vault=vault)
        emergencies = Emergencies(chain=chain, index=index, writer=writer, vault=vault, committee=committee)
        signatures = Signatures(chain=chain, index=index, passkeys=passkeys or Passkeys())
        decisions = Decisions(index=index, writer=writer, vault=vault)
        templates = Templates(index=index, writer=writer, vault=vault, committee=committee)
        consents = Consents(
            chain=chain, index=index, writer=writer, vault=vault, signatures=signatures, templates=templates
        )
        walks = Walks(index=index)
        agreements = Agreements(chain=chain, index=index, writer=writer, vault=vault)
        return cls(
            chain=chain,
            index=index,
            writer=writer,
            vault=vault,
            committee=committee,
            members=Members(chain=chain, index=index, writer=writer, vault=vault, committee=committee),
            records=Records(chain=chain, index=index, writer=writer, vault=vault, committee=committee),
            signatures=signatures,
            templates=templates,
            consents=consents,
            holders=Holders(
                chain=chain,
                index=index,
                writer=writer,
                vault=vault,
                signatures=signatures,
                consents=consents,
            ),
            projects=Projects(index=index, writer=writer, vault=vault),
            decisions=decisions,
            releases=Releases(chain=chain, index=index, writer=writer, vault=vault),
            transfers=Transfers(chain=chain, index=index, writer=writer, vault=vault),
            emergencies=emergencies,
            attestations=Attestations(chain=chain, index=index, writer=writer, vault=vault),
            access=AccessLog(index=index, emergencies=emergencies),
            permissions=Permissions(chain=chain, index=index),
            provenance=Provenance(index=index),
            datasets=Datasets(chain=chain, index=index, writer=writer, vault=vault, decisions=decisions),
            lineage=Lineage(chain=chain, index=index, writer=writer, vault=vault),
            walks=walks,
            lineage_documents=LineageDocuments(chain=chain, index=index, walks=walks),
            agreements=agreements,
            borders=Borders(
                chain=chain,
                index=index,
                writer=writer,
                vault=vault,
                committee=committee,
                agreements=agreements,
            ),
        )
